//! The program `sower`. Everything it does is in the library; here it only becomes
//! a process: arguments in, exit code out.

use std::process::ExitCode;

use sower::cli::{self, Failure};

/// Gives back to the system what a flood of connections took, and costs a request less.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match cli::run(std::env::args_os()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}", failure.report());
            match failure {
                Failure::Usage(_) | Failure::Config(_) => ExitCode::from(2),
                Failure::Running(_) => ExitCode::from(1),
            }
        }
    }
}
