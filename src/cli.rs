//! The command line: arguments to a command, and what went wrong to a sentence.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::config::listen::{Listen, Listens};
use crate::config::written::{Format, Level, Serve, Site, Written};
use crate::config::{self, Config};
use crate::daemon::{self, Reread};
use crate::state;

/// Turns a folder into feeds: drop an article into it, and seconds later every
/// subscriber has it.
#[derive(Debug, Parser)]
#[command(name = "sower", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Publish a folder until stopped.
    Serve(ServeArguments),
    /// Say how the running daemon is: entries, problems, what is not published and why.
    Status(ServeArguments),
    /// Withdraw articles that are missing from the seeds folder at once, which the
    /// daemon keeps until a person says that they are meant to be gone.
    Confirm(ServeArguments),
}

#[derive(Debug, Clone, Args)]
struct ServeArguments {
    /// Configuration file; by default `sower.toml` where there is one.
    #[arg(long, value_name = "FILE", env = "SOWER_CONFIG")]
    config: Option<PathBuf>,
    /// The folder that articles are dropped into; by default `seeds`.
    #[arg(long, value_name = "DIR")]
    seeds: Option<PathBuf>,
    /// Where Sower keeps ids and dates; by default a folder for each seeds folder.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Address to listen on, or `unix:/path`; by default 127.0.0.1:8080. Port 0 takes a
    /// free one. May be given several times.
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Vec<Listen>,
    /// What readers type to get here; by default the listening address.
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
}

/// Why the program ends with something else than 0.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// Wrong arguments: 2.
    Usage(String),
    /// Wrong configuration: 2.
    Config(String),
    /// Failed while running: 1.
    Running(String),
}

impl Failure {
    /// What is wrong.
    fn reason(self) -> String {
        match self {
            Failure::Usage(text) | Failure::Config(text) | Failure::Running(text) => text,
        }
    }

    /// What standard error is told.
    pub fn report(&self) -> String {
        match self {
            Failure::Usage(text) => text.clone(),
            Failure::Config(text) | Failure::Running(text) => format!("sower: {text}"),
        }
    }
}

/// Does what the arguments ask for; the first is the program's name.
///
/// # Errors
/// With what standard error is to be told, see [`Failure`].
#[allow(clippy::print_stdout)]
pub fn run(arguments: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(asked) if !asked.use_stderr() => {
            print!("{asked}");
            return Ok(());
        }
        Err(wrong) => return Err(Failure::Usage(wrong.to_string().trim_end().to_owned())),
    };
    let (arguments, question) = match arguments.command {
        Command::Serve(arguments) => (arguments, None),
        Command::Status(arguments) => (arguments, Some("status")),
        Command::Confirm(arguments) => (arguments, Some("confirm")),
    };
    let again = arguments.clone();
    let config = configuration(arguments)?;
    let state = match &config.state {
        Some(state) => state.clone(),
        None => state::folder_for(&config.seeds, |name| std::env::var(name).ok())
            .map_err(|it| Failure::Config(format!("cannot choose a state folder: {it}")))?,
    };
    if let Some(question) = question {
        print!("{}", daemon::control::ask(&state, question).map_err(Failure::Running)?);
        return Ok(());
    }
    // A folder that was published before may be on a disk that is not mounted now.
    if !config.seeds.exists() && !state.join("catalog.sqlite").exists() {
        return Err(Failure::Config(format!(
            "expected a folder at `{}`, found nothing; name the folder to publish with `--seeds` or \
             the key `seeds`",
            config.seeds.display()
        )));
    }
    let log_from = start_log(config.log.level, config.log.format);
    for name in &config.foreign {
        tracing::debug!("the variable `{name}` tells of a service and is no setting; ignored");
    }
    let reread = move || configuration(again.clone()).map_err(|it| it.reason());
    let reread = Reread { config: Box::new(reread), log_from };
    daemon::serve(config, state, reread).map_err(Failure::Running)
}

fn configuration(arguments: ServeArguments) -> Result<Config, Failure> {
    let path = match arguments.config {
        Some(path) => Some(path),
        None => Some(PathBuf::from("sower.toml")).filter(|it| it.exists()),
    };
    let text = match &path {
        Some(path) => Some(std::fs::read_to_string(path).map_err(|it| {
            Failure::Config(format!("cannot read the configuration `{}`: {it}", path.display()))
        })?),
        None => None,
    };
    let flags = Written {
        seeds: arguments.seeds,
        state: arguments.state,
        site: Site { base_url: arguments.base_url, ..Site::default() },
        serve: Serve {
            listen: Some(Listens(arguments.listen)).filter(|it| !it.0.is_empty()),
            ..Serve::default()
        },
        ..Written::default()
    };
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let file = path.as_deref().map(Path::new).zip(text.as_deref());
    config::load(flags, environment, file).map_err(|it| Failure::Config(it.to_string()))
}

/// Structured logs on standard error. Gives back what chooses another level.
fn start_log(level: Level, format: Format) -> Box<dyn Fn(Level) + Send + Sync> {
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter(level))
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal());
    match format {
        Format::Text => {
            let log = log.with_filter_reloading();
            let handle = log.reload_handle();
            log.init();
            // It cannot fail while the program runs.
            Box::new(move |level| drop(handle.reload(filter(level))))
        }
        Format::Json => {
            let log = log.json().with_filter_reloading();
            let handle = log.reload_handle();
            log.init();
            Box::new(move |level| drop(handle.reload(filter(level))))
        }
    }
}

/// What clients do wrong is no warning: the libraries that speak with them would let
/// anybody fill the log.
fn filter(level: Level) -> EnvFilter {
    let level = match level {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
        Level::Trace => "trace",
    };
    EnvFilter::new(format!("{level},h2=error,hyper=error,rustls=error,tokio_rustls=error"))
}
