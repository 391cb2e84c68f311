# Short names for long commands; `just` lists them.

default:
    @just --list

# Publish the repository's own seeds.
serve *flags:
    cargo run --release -- serve {{flags}}

# Run the tests, or those of one stage: `just test convert::`.
test *which:
    cargo test {{which}}

# Every check.
check:
    .ci/run

# Licences and advisories of all dependencies.
deny:
    cargo deny check

# The documentation of the code.
doc:
    cargo doc --no-deps --document-private-items --open
