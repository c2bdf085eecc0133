//! A mail server, by SMTP.

use std::time::Duration;

use futures::future::BoxFuture;
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};

use super::{Letter, Mailer, PostError};

const PATIENCE: Duration = Duration::from_secs(15);

/// A mail server.
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Smtp {
    /// By its address: `smtps://USER:PASSWORD@HOST:PORT`, or `smtp://…?tls=required`.
    ///
    /// # Errors
    /// [`PostError::Setting`], which never repeats the address: it may have a password.
    pub fn new(url: &str, from: &str) -> Result<Self, PostError> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|_| PostError::Setting("BAHI_SMTP_URL"))?;
        let from = from.parse().map_err(|_| PostError::Setting("BAHI_MAIL_FROM"))?;
        Ok(Self { transport: builder.timeout(Some(PATIENCE)).build(), from })
    }
}

impl Mailer for Smtp {
    fn send(&self, letter: Letter) -> BoxFuture<'_, Result<(), PostError>> {
        Box::pin(async move {
            let to: Mailbox = letter.to.parse().map_err(|_| PostError::Address)?;
            let message = Message::builder()
                .from(self.from.clone())
                .to(to)
                .subject(letter.subject)
                .header(ContentType::TEXT_PLAIN)
                .body(letter.text)
                .map_err(|_| PostError::Address)?;
            self.transport.send(message).await.map(drop).map_err(PostError::Smtp)
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
        net::TcpListener,
    };

    use super::*;

    /// A mail server for one letter; what it was told, line by line.
    async fn server(listener: TcpListener) -> Vec<String> {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 here\r\n").await.unwrap();
        let (mut told, mut in_text) = (Vec::new(), false);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap() == 0 {
                return told;
            }
            let line = line.trim_end().to_owned();
            let answer = match (in_text, line.as_str()) {
                (true, ".") => Some("250 taken\r\n"),
                (true, _) => None,
                (false, "DATA") => Some("354 go on\r\n"),
                (false, "QUIT") => Some("221 bye\r\n"),
                (false, _) => Some("250 yes\r\n"),
            };
            in_text = line == "DATA" || (in_text && line != ".");
            told.push(line);
            if let Some(answer) = answer {
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            if told.last().is_some_and(|line| line == ".") {
                return told;
            }
        }
    }

    #[tokio::test]
    async fn a_letter_reaches_the_server() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let told = tokio::spawn(server(listener));
        let smtp = Smtp::new(&url, "Bahi <wallet@example.com>").unwrap();
        let letter = Letter {
            to: "asha@example.com".to_owned(),
            subject: "Your code".to_owned(),
            text: "123456".to_owned(),
        };
        smtp.send(letter).await.unwrap();
        let told = told.await.unwrap();
        for line in ["RCPT TO:<asha@example.com>", "Subject: Your code", "123456"] {
            assert!(told.iter().any(|told| told.starts_with(line)), "{line}: {told:?}");
        }
    }

    #[test]
    fn case_178_a_setting_that_is_none_is_named_and_not_repeated() {
        for (url, from) in [("nonsense:hunter2", "a@b.cc"), ("smtp://localhost", "hunter2")] {
            let error = Smtp::new(url, from).err().unwrap();
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }
}
