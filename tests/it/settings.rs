//! Settings: the documented file is the truth about the defaults, and slips of the pen are named.

use kellgrend::config::Settings;
use kellgrend::training::recipe::RecipeName;
use std::collections::BTreeSet;
use std::path::Path;

const DOCUMENTED: &str = include_str!("../../config/kellgrend.toml");

fn parse(text: &str) -> Result<Settings, String> {
    Settings::parse(text, Path::new("kellgrend.toml")).map_err(|error| error.to_string())
}

/// The documented file with every `#key = value` in force.
fn uncommented() -> String {
    let key = |line: &str| {
        line.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase())).map(str::to_owned)
    };
    DOCUMENTED.lines().map(|line| key(line).unwrap_or_else(|| line.to_owned())).collect::<Vec<_>>().join("\n")
}

/// `section.key` of all that a file says.
fn keys(text: &str) -> BTreeSet<String> {
    fn gather(table: &toml::Table, above: &str, into: &mut BTreeSet<String>) {
        for (key, value) in table {
            match value {
                toml::Value::Table(inner) => gather(inner, &format!("{above}{key}."), into),
                _ => drop(into.insert(format!("{above}{key}"))),
            }
        }
    }
    let mut keys = BTreeSet::new();
    gather(&toml::from_str(text).expect("TOML"), "", &mut keys);
    keys
}

#[test]
fn the_documented_file_says_every_key_and_its_default() {
    let defaults = Settings::default().to_toml();
    assert_eq!(parse(DOCUMENTED).expect("valid as shipped").to_toml(), defaults);
    assert_eq!(parse(&uncommented()).expect("valid with every key in force").to_toml(), defaults);
    assert_eq!(keys(&uncommented()), keys(&defaults));
    let numbers = RecipeName::FineTune.recipe().numbers();
    let of_adjust = DOCUMENTED.rsplit("[training.adjust]").next().expect("a section");
    for (name, _) in numbers {
        let name = name.trim_start_matches("augmentation.");
        assert!(of_adjust.contains(name), "{name} is not documented");
    }
}

#[test]
fn a_password_in_the_wrong_place_is_not_repeated() {
    for key in ["password", "pasword"] {
        let text = &format!("[mail]\nport = 25\n{key} = \"hunter2\"");
        let error = parse(text).expect_err(text);
        assert!(error.contains(&format!("{key} = ...")) && error.contains("line 3, column 1"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

/// Nor is one that was typed where another value belongs.
#[test]
fn wrong_values_are_not_repeated() {
    let mail = "[mail]\nserver = \"mail.clinic.example\"\nfrom = \"a@b.example\"\nto = [\"c@d.example\"]\n";
    parse(mail).expect("all that is needed");
    let login = format!("{mail}user = \"knees\"\n");
    for (text, wanted) in [
        (format!("{mail}port = \"hunter2\""), "port = ..."),
        (format!("{mail}security = \"hunter2\""), "security = ..."),
        (format!("{mail}security = \"hunter2, expected\""), "starttls"),
        (format!("{mail}at_most = \"hunter2\""), "at_most = ..."),
        (format!("{mail}at_most = hunter2"), "at_most = ..."),
        (format!("{mail}password_file: hunter2=hunter2"), "line 5"),
        (format!("{mail}[mail.alerts]\ndisk = \"hunter2\""), "disk = ..."),
        (format!("{mail}[mail.alerts]\ninbox = \"hunter2\""), "inbox = ..."),
        (format!("{mail}[mail.alerts]\nlabels = \"hunter2\""), "labels = ..."),
        ("mail = { port = \"hunter2\" }".to_owned(), "mail = ..."),
        ("[mail]\nto = \"hunter2\"".to_owned(), "to = ..."),
        (mail.replace("mail.clinic", "kg:hunter2@mail.clinic"), "[mail] server"),
        (format!("{login}password_file = \"etc/hunter2\""), "[mail] password_file"),
    ] {
        let error = parse(&text).expect_err(&text);
        assert!(error.contains(wanted) && !error.contains("hunter2"), "{error}");
    }
}

#[test]
fn slips_of_the_pen_are_named_with_line_column_and_the_legal_words() {
    let check = |text: &str, wanted: &[&str]| {
        let error = parse(text).expect_err(text);
        for word in wanted {
            assert!(error.contains(word), "{word:?} is missing in: {error}");
        }
    };
    check("[settle]\nquite = \"3s\"", &["line 2, column 1", "`quite`", "quiet", "scan_every", "kellgrend.toml"]);
    check("[setle]", &["line 1", "`setle`", "settle"]);
    check("[ensemble]\ndevice = \"gpu\"", &["line 2, column 10", "auto", "cpu", "cuda"]);
    check("[pictures]\npalette = \"rainbow\"", &["line 2", "turbo", "jet"]);
    check("[identity]\nkeep = \"all\"", &["line 2", "none", "pseudonym", "plain"]);
    check("[settle]\nquiet = \"0s\"", &["line 2, column 9", "out of range"]);
    check("[settle]\nquiet = \"3 parsecs\"", &["line 2, column 9", "\"2 minutes\""]);
    check("[radiographs]\nmax_file = \"lots\"", &["line 2", "\"512 MiB\""]);
    check("[radiographs]\nmax_pixels = 0", &["line 2", "from 1"]);
    check("[radiographs]\nmax_pixels = \"many\"", &["line 2", "expected i64"]);
    check("[ensemble]\nbatch = 9223372036854775807", &["line 2", "4096"]);
    check("[grading]\njobs = -1", &["line 2", "4096"]);
    check("[settle]\ntruncated_after = \"5000y\"", &["line 2", "7 days"]);
    check("[settle]\nignore = [\"[\"]", &["line 2", "pattern"]);
    check("[training]\nfolds = 1", &["line 2", "2 to 20"]);
    check("[training]\nschedule = \"every night\"", &["[training] schedule", "0 22 * * 5"]);
    check("[training]\nschedule = \"0 22 * * 5\"\ntime_zone = \"Berlin\"", &["time_zone", "Europe/Berlin"]);
    let mail =
        "[mail]\nserver = \"mail.clinic.example\"\nfrom = \"knees@clinic.example\"\nto = [\"it@clinic.example\"]\n";
    parse(mail).expect("all that is needed");
    check(&mail.replace("knees@", "knees"), &["[mail] from", "kellgrend@clinic.example"]);
    check(&mail.replace("\"it@clinic.example\"", ""), &["[mail] to", "it@clinic.example"]);
    check(&format!("{mail}security = \"none\""), &["[mail] security", "localhost", "starttls"]);
    check(&format!("{mail}security = \"ssl\""), &["line 5", "starttls", "tls", "none"]);
    check(&format!("{mail}user = \"knees\""), &["[mail] password_file", "both"]);
    check(&format!("{mail}user = \"knees\"\npassword_file = \"etc/secret\""), &["[mail] password_file", "credential"]);
    check(&format!("{mail}password = \"secret\""), &["`password`", "password_file"]);
    check(&format!("{mail}digest = \"weekly\""), &["[mail] digest", "0 22 * * 5"]);
    check("[training.adjust]\nepoch = 3", &["[training.adjust]", "epoch"]);
    check("[log]\nformat = \"xml\"", &["line 2", "text", "json"]);
    check("[http]\nlisten = \"0.0.0.0:9611\"", &["line 2", "other machines", "127.0.0.1", "proxy"]);
    check("[http]\nlisten = \"[::]:9611\"", &["other machines"]);
    check("[http]\nlisten = \"9611\"", &["line 2, column 10", "127.0.0.1:9611"]);
    check("[training.choice]\nreview_share = 10.0", &["review_share = 10", "0 to 1"]);
}

#[test]
fn a_mail_server_is_a_machine() {
    let of = |server: &str| {
        let mail = format!("[mail]\nserver = \"{server}\"\nfrom = \"a@b.example\"\nto = [\"c@d.example\"]");
        parse(&mail).map(drop)
    };
    for server in ["mail.example.org", "localhost", "::1", "192.0.2.7"] {
        assert_eq!(of(server), Ok(()), "{server}");
    }
    for server in ["mail.example.org:25", "[::1]", " localhost", "smtp://mail.example.org", "kg@mail.example.org"] {
        let error = of(server).expect_err(server);
        assert!(error.contains("port = 25"), "{error}");
    }
}

/// A file that is there and cannot be reached says what is kept of patients: it is not passed over for built-in settings.
#[test]
fn settings_that_cannot_be_reached_are_not_passed_over() {
    let prefix = tempfile::tempdir().expect("a folder");
    let (bin, etc) = (prefix.path().join("bin"), prefix.path().join("etc/kellgrend"));
    [&bin, &etc].iter().for_each(|folder| std::fs::create_dir_all(folder).expect("made"));
    let program = bin.join("kellgrend");
    let built = env!("CARGO_BIN_EXE_kellgrend");
    std::fs::hard_link(built, &program).or_else(|_| std::fs::copy(built, &program).map(drop)).expect("installed");
    std::os::unix::fs::symlink("/nowhere/kellgrend.toml", etc.join("kellgrend.toml")).expect("linked");
    let mut command = std::process::Command::new(&program);
    command.args(["retention", "--state"]).arg(prefix.path().join("state")).env_remove("KELLGREND_CONFIG");
    let output = loop {
        match command.output() {
            // another test forks while the copy is written
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => continue,
            output => break output.expect("it starts"),
        }
    };
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("etc/kellgrend/kellgrend.toml"), "{output:?}");
}
