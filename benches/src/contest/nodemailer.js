// The pool of Nodemailer: HOST PORT CONNECTIONS MAILS BYTES.
const [host, port, connections, mails, bytes] = process.argv.slice(-5);
const transport = require("nodemailer").createTransport({
  host,
  port: Number(port),
  secure: false,
  ignoreTLS: true,
  pool: true,
  maxConnections: Number(connections),
  maxMessages: Infinity,
});
const line = "The quick brown fox jumps over the lazy dog, and again and again.\n";
const text = line.repeat(Math.ceil(bytes / line.length));

let next = 0;
async function lane() {
  while (next < mails) {
    const to = `user${next++}@example.com`;
    await transport.sendMail({ from: "news@shop.example", to, subject: "Spring", text });
  }
}

// Twice as many as there are connections, so that none waits for its next mail.
Promise.all(Array.from({ length: 2 * connections }, lane)).then(
  () => transport.close(),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
