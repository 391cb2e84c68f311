//! What conversion costs: bytes of seeds for each second of CPU time of one core, by
//! format and by length, each through the whole verb. CPU time, since wall time on shared
//! machines lies.
//!
//! `cargo bench --bench convert` takes a second for each row, `-- 5` five. Prints
//! figures, asserts nothing.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use sower::convert::{Options, convert};
use sower::watch::seed::{Seed, SeedPath, Stat, Surroundings};

/// Formats, how many bytes of a seed, and what one core is to do in a second.
const ROWS: &[(&str, usize, u32)] = &[
    ("txt", 5_000, 100),
    ("txt", 100_000, 100),
    ("md", 5_000, 30),
    ("md", 100_000, 30),
    ("html", 5_000, 20),
    ("html", 100_000, 20),
];

fn main() {
    let seconds = std::env::args().skip(1).find_map(|it| it.parse().ok()).unwrap_or(1);
    let options = Options {
        timezone: TimeZone::UTC,
        max_bytes: 8 << 20,
        published_folders: Vec::new(),
        strip: Vec::new(),
    };
    println!("format   seed of   MB/s of one core   aim");
    for (extension, length, aim) in ROWS {
        let seeds: Vec<Seed> = (0..20).map(|number| seed(number, extension, *length)).collect();
        let (mut bytes, mut rounds) = (0, 0);
        let from = cpu();
        while cpu() - from < Duration::from_secs(seconds) || rounds == 0 {
            for seed in &seeds {
                assert!(convert(seed, &options).is_ok(), "{}", seed.path);
                bytes += seed.bytes.len();
            }
            rounds += 1;
        }
        let speed = bytes as f64 / 1e6 / (cpu() - from).as_secs_f64();
        println!("{extension:6} {:6} KB {speed:18.1} {aim:5}", length / 1000);
    }
}

/// Of this thread where the system tells, else what a clock says.
fn cpu() -> Duration {
    thread_local! { static START: Instant = Instant::now(); }
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    match told.and_then(|it| it.split(' ').next()?.parse().ok()) {
        Some(nanoseconds) => Duration::from_nanos(nanoseconds),
        None => START.with(Instant::elapsed),
    }
}

fn seed(number: usize, extension: &str, length: usize) -> Seed {
    let stat = Stat { device: 0, inode: 0, birth: None, length: 0, modified: 0, changed: 0 };
    let mut words = Words(number as u64 + 1);
    let mut text = match extension {
        "txt" => format!("{}\n{}\n", words.title(), words.title()),
        "md" => format!(
            "---\ntitle: {}\ndate: 2024-01-02\ntags: [stone, water]\nauthor: Ann Lee\n---\n\n",
            words.title()
        ),
        _ => format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><title>{}</title>\n<meta name=\"author\" \
             content=\"Ann Lee\">\n</head><body><nav><a href=\"/\">Home</a></nav>\n<article>\n",
            words.title()
        ),
    };
    let mut part = 0;
    while text.len() < length {
        text += &match extension {
            "txt" => words.plain(part),
            "md" => words.markdown(part),
            _ => words.html(part),
        };
        part += 1;
    }
    if extension == "html" {
        text += "</article><footer>The end</footer></body></html>\n";
    }
    Seed {
        path: SeedPath::new(format!("news/post-{number}.{extension}")).unwrap(),
        stat,
        bytes: text.into_bytes(),
        surroundings: Surroundings::default(),
    }
}

/// The same words each time (a linear congruential generator).
struct Words(u64);

impl Words {
    fn word(&mut self) -> &'static str {
        const WORDS: &[&str] = &[
            "the",
            "harbour",
            "of",
            "the",
            "old",
            "town",
            "was",
            "built",
            "with",
            "granite",
            "and",
            "ferry",
            "morning",
            "people",
            "work",
            "that",
            "said",
            "water",
            "storm",
            "quarry",
            "stone",
            "market",
            "price",
            "council's",
            "plan",
            "year",
            "which",
            "a",
            "in",
            "remembered",
            "to",
            "café",
        ];
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        WORDS[(self.0 >> 33) as usize % WORDS.len()]
    }

    fn words(&mut self, count: usize) -> String {
        (0..count).map(|_| self.word()).collect::<Vec<_>>().join(" ")
    }

    fn title(&mut self) -> String {
        format!("About {}", self.words(6))
    }

    fn sentence(&mut self) -> String {
        format!("Here {}, and {}.", self.words(9), self.words(8))
    }

    fn paragraph(&mut self) -> String {
        (0..5).map(|_| self.sentence()).collect::<Vec<_>>().join(" ")
    }

    fn plain(&mut self, part: usize) -> String {
        match part % 7 {
            3 => format!("\n{}\n\n", self.title()),
            5 => format!("“{}”\n", self.sentence()),
            _ => format!("{}\n", self.paragraph()),
        }
    }

    fn markdown(&mut self, part: usize) -> String {
        match part % 9 {
            2 => format!("## {}\n\n", self.title()),
            4 => format!(
                "- {}\n- **{}** {}\n- `{}`\n\n",
                self.sentence(),
                self.word(),
                self.sentence(),
                self.words(2)
            ),
            6 => {
                format!("```rust\nfn main() {{\n    println!(\"{}\");\n}}\n```\n\n", self.words(4))
            }
            7 => format!("> {}\n\n![{}](pictures/{part}.png)\n\n", self.sentence(), self.word()),
            _ => format!(
                "{} See [{}](https://example.org/{part}) and *{}* in [the other](post-2.md).\n\n",
                self.paragraph(),
                self.words(2),
                self.word()
            ),
        }
    }

    fn html(&mut self, part: usize) -> String {
        match part % 9 {
            2 => format!("<h2 id=\"part-{part}\" class=\"title\">{}</h2>\n", self.title()),
            4 => format!(
                "<ul>\n<li>{}</li>\n<li><strong>{}</strong> {}</li>\n</ul>\n",
                self.sentence(),
                self.word(),
                self.sentence()
            ),
            6 => format!(
                "<pre><code class=\"language-rust\">let it = \"{}\";\n</code></pre>\n",
                self.words(4)
            ),
            7 => format!(
                "<figure><img src=\"pictures/{part}.png\" alt=\"{}\"><figcaption>{}</figcaption>\
                 </figure>\n",
                self.word(),
                self.sentence()
            ),
            _ => format!(
                "<p class=\"text\">{} See <a href=\"https://example.org/{part}\">{}</a> and \
                 <em>{}</em> in <a href=\"post-2.html\">the other</a>.</p>\n",
                self.paragraph(),
                self.words(2),
                self.word()
            ),
        }
    }
}
