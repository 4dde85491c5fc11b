//! A mail as it goes over the line: MIME, with its pictures inside.

use crate::config::MailSettings;
use crate::digest::Digest;
use crate::ledger::MailContent;
use jiff::Timestamp;
use lettre::Message;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, MultiPartKind, SinglePart};

/// A mail, and the sender and readers that settings name.
#[derive(Clone, Debug)]
pub struct Letter {
    message: Message,
}

impl Letter {
    /// An error for addresses that are none, which settings let through nowhere.
    pub fn new(settings: &MailSettings, content: &MailContent, written: Timestamp) -> Result<Self, String> {
        let mailbox = |text: &str| text.parse::<Mailbox>().map_err(|error| format!("{text:?} is no address: {error}"));
        let mut head = Message::builder()
            .from(mailbox(&settings.from)?)
            .subject(&content.subject)
            .message_id(Some(content.message_id.clone()))
            .date(written.into())
            .header(Automatic);
        for to in &settings.to {
            head = head.to(mailbox(to)?);
        }
        let text = SinglePart::plain(content.text.clone());
        let message = match &content.html {
            None => head.singlepart(text),
            Some(page) => {
                let png = || ContentType::parse("image/png").map_err(|error| error.to_string());
                // the same at every attempt, and in no text: what is between the parts
                let part = |kind, name: &str| {
                    let digest = Digest::of(format!("{name} {}", content.message_id).as_bytes());
                    MultiPart::builder().kind(kind).boundary(format!("kellgrend-{}", &digest.to_string()[..40]))
                };
                let related = part(MultiPartKind::Related, "related");
                let mut related = related.singlepart(SinglePart::html(page.clone()));
                for (name, bytes) in &content.pictures {
                    related = related.singlepart(Attachment::new_inline(name.clone()).body(bytes.clone(), png()?));
                }
                head.multipart(part(MultiPartKind::Alternative, "alternative").singlepart(text).multipart(related))
            }
        };
        Ok(Self { message: message.map_err(|error| format!("the mail cannot be put together: {error}"))? })
    }

    pub(super) fn message(&self) -> &Message {
        &self.message
    }
}

/// A Message-ID that is as unique as what the mail tells: the same for the same.
pub fn message_id(from: &str, host: &str, key: &str, written: Timestamp) -> String {
    let digest = Digest::of(format!("{host}\n{key}\n{written}").as_bytes()).to_string();
    let domain = from.parse::<Mailbox>().map_or("localhost".to_owned(), |from| from.email.domain().to_owned());
    format!("<kellgrend.{}@{domain}>", &digest[..32])
}

/// `Auto-Submitted: auto-generated` keeps other machines from answering (RFC 3834).
#[derive(Clone)]
struct Automatic;

impl Header for Automatic {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}
