//! Where settings come from: a file, found or named.

use super::{MailSettings, Settings};
use std::path::{Path, PathBuf};

/// Settings that are not valid, or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the settings file {path} cannot be read: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file says something that is not valid; line, column and legal names are in the text.
    #[error("the settings file {path} is not valid:\n{text}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The reader's words.
        text: String,
    },
}

impl Settings {
    /// Read the named file, or the first that exists of the usual places, or take the defaults.
    /// Returns the settings and the file they came from.
    pub fn load(named: Option<&Path>) -> Result<(Self, Option<PathBuf>), ConfigError> {
        let Some(path) = named.map(Path::to_owned).or_else(usual_place) else {
            return Ok((Self::default(), None));
        };
        let text = std::fs::read_to_string(&path).map_err(|source| ConfigError::Read { path: path.clone(), source })?;
        Ok((Self::parse(&text, &path)?, Some(path)))
    }

    /// Settings from TOML text; `path` is for the error's sake.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let invalid = |text: String| ConfigError::Invalid { path: path.to_owned(), text };
        let settings: Self = toml::from_str(text).map_err(|error| invalid(in_words(&error, text)))?;
        settings.training.check().and_then(|()| settings.mail.check()).map_err(invalid)?;
        Ok(settings)
    }

    /// `[mail]` of a settings file that is not valid elsewhere, so that it can be told by mail; none where mail is off, or is
    /// itself what is wrong.
    pub fn mail_alone(named: Option<&Path>) -> Option<MailSettings> {
        let text = std::fs::read_to_string(named.map(Path::to_owned).or_else(usual_place)?).ok()?;
        let mut table: toml::Table = toml::from_str(&text).ok()?;
        let mail: MailSettings = table.remove("mail")?.try_into().ok()?;
        (mail.is_on() && mail.check().is_ok()).then_some(mail)
    }

    /// The settings in force, every key written out.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("settings are plain tables, strings and numbers")
    }
}

/// Where it is, the key there, and what is wrong. The value is left out: it may be a password in the wrong place, and this goes
/// to the journal.
fn in_words(error: &toml::de::Error, text: &str) -> String {
    let said = without_value(error.message().trim_end())
        .replace("expected parsable string", "expected a size, such as \"512 MiB\"")
        .replace("expected a duration", "expected a duration, such as \"3s\" or \"2 minutes\"");
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else { return said };
    let line = before.matches('\n').count();
    let column = before.chars().rev().take_while(|&char| char != '\n').count();
    let key = text.lines().nth(line).and_then(|text| text.split_once('=')).map_or("", |(key, _)| key.trim());
    let is_key = key.chars().all(|char| char.is_ascii_alphanumeric() || "_-.".contains(char));
    let shown = if key.is_empty() || !is_key { String::new() } else { format!("\n{key} = ...") };
    format!("line {}, column {}:{shown}\n{said}", line + 1, column + 1)
}

/// What serde says of a value, but for the value: `invalid type: string "x", expected u16`.
fn without_value(said: &str) -> String {
    let is_about_value =
        ["invalid type", "invalid value", "unknown variant"].iter().any(|about| said.starts_with(about));
    match (said.find(['"', '`']), said.rfind(", expected ")) {
        (Some(value), Some(wanted)) if is_about_value && value < wanted => {
            format!("{}{}", said[..value].trim_end(), &said[wanted..])
        }
        _ => said.to_owned(),
    }
}

/// `etc/kellgrend/kellgrend.toml` beside the installed binary's `bin`, then below `/`.
fn usual_place() -> Option<PathBuf> {
    let below_prefix = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.parent()?.to_owned()));
    below_prefix
        .into_iter()
        .chain(Some(PathBuf::from("/")))
        .map(|root| root.join("etc/kellgrend/kellgrend.toml"))
        .find(|path| !is_absent(path))
}

/// Whether there is no such file. One that cannot be reached is there for all that is known, and is not passed over for built-in
/// settings, which keep more of a patient than it may say.
fn is_absent(path: &Path) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    path.symlink_metadata().is_err_and(|error| matches!(error.kind(), NotFound | NotADirectory))
}
