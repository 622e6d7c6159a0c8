use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Ended, Reply, Session, Stage, Verdict};

impl Session {
    /// A scripted reply stands for the whole exchange.
    pub(super) async fn auth(
        &mut self,
        mechanism: &str,
        initial: Option<&str>,
    ) -> Result<(), Ended> {
        if !self.setup.is_guarded() {
            return self.send(Reply::new(503, "5.5.1 AUTH not available")).await;
        }
        if !self.greeted || self.authenticated || self.transaction.is_some() {
            return self.send(Reply::new(503, "5.5.1 bad sequence")).await;
        }
        match self.consult(Stage::Auth, None).await? {
            Verdict::BehaveWell => {}
            Verdict::Reply(reply) => {
                let known = self
                    .setup
                    .credentials
                    .as_ref()
                    .or(self.setup.token.as_ref());
                if let Some((user, _)) = known
                    && reply.is_positive()
                {
                    self.admit(user.clone());
                }
                return self.send(reply).await;
            }
            Verdict::End(ending) => return Err(self.end(ending).await),
        }
        let known = match mechanism {
            "PLAIN" | "LOGIN" => self.setup.credentials.clone(),
            "XOAUTH2" => self.setup.token.clone(),
            _ => None,
        };
        let Some(known) = known else {
            let unknown = Reply::new(504, "5.5.4 mechanism not supported");
            return self.send(unknown).await;
        };
        let given = match mechanism {
            "PLAIN" => self.plain(initial).await?,
            "LOGIN" => self.login(initial).await?,
            _ => self.bearer(initial).await?,
        };
        let reply = match given {
            None => Reply::new(501, "5.5.2 cannot decode"),
            Some(given) if given == known => {
                self.admit(known.0);
                Reply::new(235, "2.7.0 welcome")
            }
            Some(_) if mechanism == "XOAUTH2" => self.explain().await?,
            Some(_) => Reply::new(535, "5.7.8 wrong user or password"),
        };
        self.send(reply).await
    }

    fn admit(&mut self, user: String) {
        self.authenticated = true;
        self.open.authenticated(user);
    }

    async fn plain(&mut self, initial: Option<&str>) -> Result<Option<(String, String)>, Ended> {
        let response = match initial {
            Some(initial) => initial.to_owned(),
            None => self.prompt("").await?,
        };
        Ok(decode(&response).and_then(|decoded| {
            let mut parts = decoded.splitn(3, '\0').skip(1);
            Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
        }))
    }

    async fn login(&mut self, initial: Option<&str>) -> Result<Option<(String, String)>, Ended> {
        let user = match initial {
            Some(initial) => initial.to_owned(),
            None => self.prompt("Username:").await?,
        };
        let Some(user) = decode(&user) else {
            return Ok(None);
        };
        let password = self.prompt("Password:").await?;
        Ok(decode(&password).map(|password| (user, password)))
    }

    async fn bearer(&mut self, initial: Option<&str>) -> Result<Option<(String, String)>, Ended> {
        let response = match initial {
            Some(initial) => initial.to_owned(),
            None => self.prompt("").await?,
        };
        Ok(decode(&response).and_then(|decoded| {
            let rest = decoded.strip_prefix("user=")?;
            let (user, rest) = rest.split_once("\u{1}auth=Bearer ")?;
            let token = rest.strip_suffix("\u{1}\u{1}")?;
            Some((user.to_owned(), token.to_owned()))
        }))
    }

    /// Why a token is refused is a challenge, and its answer an empty line.
    async fn explain(&mut self) -> Result<Reply, Ended> {
        let answer = self
            .prompt(r#"{"status":"401","schemes":"bearer"}"#)
            .await?;
        Ok(match answer.as_str() {
            "" => Reply::new(535, "5.7.8 token refused"),
            _ => Reply::new(501, "5.5.2 an empty line was expected"),
        })
    }

    async fn prompt(&mut self, text: &str) -> Result<String, Ended> {
        let challenge = format!("334 {}\r\n", STANDARD.encode(text));
        self.send(Reply::raw(challenge)).await?;
        self.line().await
    }
}

fn decode(response: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(response).ok()?).ok()
}
