mod cases;
mod grammar;
