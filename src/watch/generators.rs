//! Site generators and note programs whose whole sites may be the seeds folder: which
//! of their folders hold no seeds.
//!
//! In: the names that stand in a folder. Out: the names of folders beside and below
//! that hold templates, data, output or other people's packages. Pure, and by names
//! alone: no configuration is read, so what a site renames is named in `.sowerignore`,
//! and what a site publishes all the same is brought back there (`!public/`).
//!
//! A new program is a row in [`PROGRAMS`].

/// A program that makes a site of a folder.
struct Program {
    /// Any of these tells that the folder is such a site.
    configurations: &'static [&'static str],
    /// Names that are common elsewhere tell it only beside this folder.
    only_beside: Option<&'static str>,
    /// Folders that hold no seeds, beside the configuration.
    beside: &'static [&'static str],
    /// The same at any depth.
    below: &'static [&'static str],
}

const PROGRAMS: &[Program] = &[
    // Jekyll
    Program {
        configurations: &["_config.yml", "_config.yaml", "_config.toml"],
        only_beside: None,
        beside: &["vendor"],
        below: &["_includes", "_layouts", "_data", "_site", "_sass", "_plugins", "node_modules"],
    },
    // Hexo
    Program {
        configurations: &["_config.yml", "_config.yaml"],
        only_beside: Some("source"),
        beside: &["public", "themes", "scaffolds"],
        below: &[],
    },
    // Hugo
    Program {
        configurations: &["hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json"],
        only_beside: None,
        beside: HUGO,
        below: &["node_modules"],
    },
    Program {
        configurations: &["config.toml", "config.yaml", "config.yml", "config.json", "config"],
        only_beside: Some("content"),
        beside: HUGO,
        below: &["node_modules"],
    },
    // Zola
    Program {
        configurations: &["zola.toml", "config.toml"],
        only_beside: Some("content"),
        beside: &["templates", "themes", "public", "sass"],
        below: &["node_modules"],
    },
    // Eleventy
    Program {
        configurations: &[
            ".eleventy.js",
            "eleventy.config.js",
            "eleventy.config.mjs",
            "eleventy.config.cjs",
            "eleventy.config.ts",
        ],
        only_beside: None,
        beside: &[],
        below: &["_includes", "_layouts", "_data", "_site", "node_modules"],
    },
    // Pelican
    Program {
        configurations: &["pelicanconf.py", "publishconf.py"],
        only_beside: None,
        beside: &["output", "theme", "themes", "cache"],
        below: &[],
    },
    // Obsidian
    Program {
        configurations: &[".obsidian"],
        only_beside: None,
        beside: &["templates", "Templates", "_templates"],
        below: &[],
    },
    // npm
    Program {
        configurations: &["package.json"],
        only_beside: None,
        beside: &[],
        below: &["node_modules"],
    },
];

const HUGO: &[&str] = &[
    "layouts",
    "themes",
    "public",
    "resources",
    "archetypes",
    "data",
    "i18n",
    "assets",
    "_vendor",
];

/// What the names of one folder tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    /// The names that told it.
    told_by: Vec<&'static str>,
    beside: Vec<&'static str>,
    below: Vec<&'static str>,
}

impl Site {
    /// What `names`, all of one folder, tell; `None` where no program made it.
    pub fn of<'n>(names: impl Iterator<Item = &'n [u8]> + Clone) -> Option<Site> {
        let has = |name: &str| names.clone().any(|it| it == name.as_bytes());
        let mut site = Site::default();
        for program in PROGRAMS {
            let told_by = program.configurations.iter().find(|it| has(it));
            let (Some(told_by), true) = (told_by, program.only_beside.is_none_or(has)) else {
                continue;
            };
            site.told_by.push(told_by);
            site.told_by.extend(program.only_beside);
            site.beside.extend(program.beside);
            site.below.extend(program.below);
        }
        (!site.told_by.is_empty()).then_some(site)
    }

    /// Whether the folder `name` holds no seeds; `is_beside` says whether it stands in
    /// the site's own folder or deeper.
    pub fn takes_out(&self, name: &[u8], is_beside: bool) -> bool {
        let is_in = |list: &[&str]| list.iter().any(|it| it.as_bytes() == name);
        is_in(&self.below) || (is_beside && is_in(&self.beside))
    }

    /// Whether it was told by `name`, among others.
    pub fn is_told_by(&self, name: &[u8]) -> bool {
        self.told_by.iter().any(|it| it.as_bytes() == name)
    }
}

/// Whether a file or folder of this name may tell of a program.
pub fn may_tell(name: &[u8]) -> bool {
    PROGRAMS
        .iter()
        .any(|it| it.configurations.iter().chain(&it.only_beside).any(|it| it.as_bytes() == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(names: &[&str]) -> Option<Site> {
        Site::of(names.iter().map(|it| it.as_bytes()))
    }

    #[test]
    fn folders_without_seeds() {
        let table: [(&[&str], &str, bool, bool, &str); 21] = [
            (&["_config.yml"], "_includes", true, true, "Jekyll"),
            (&["_config.yml"], "_site", false, true, "Jekyll, in a source folder"),
            (&["_config.yml"], "_posts", true, false, "posts are seeds"),
            (&["_config.yml"], "public", true, false, "no word of Jekyll's"),
            (&["_config.yml", "source"], "public", true, true, "Hexo's output"),
            (&["hugo.toml"], "layouts", true, true, "Hugo"),
            (&["hugo.yaml"], "themes", true, true, "Hugo"),
            (&["hugo.toml"], "public", false, false, "a section of that name"),
            (&["hugo.toml"], "content", true, false, "where the seeds are"),
            (&["config.toml", "content"], "public", true, true, "Hugo before 0.110, Zola"),
            (&["config.toml", "content"], "templates", true, true, "Zola"),
            (&["config", "content"], "archetypes", true, true, "Hugo's folder of settings"),
            (&["config.toml"], "public", true, false, "some other program's settings"),
            (&[".eleventy.js"], "_data", false, true, "Eleventy"),
            (&["eleventy.config.mjs"], "node_modules", true, true, "its packages"),
            (&["pelicanconf.py"], "output", true, true, "Pelican"),
            (&[".obsidian"], "Templates", true, true, "Obsidian"),
            (&[".obsidian"], "Templates", false, false, "a folder of that name in the vault"),
            (&["package.json"], "node_modules", false, true, "npm"),
            (&["kim.md"], "layouts", true, false, "no configuration, no site"),
            (&["kim.md"], "node_modules", true, false, "nor here"),
        ];
        for (names, folder, is_beside, expected, why) in table {
            let found = site(names).is_some_and(|it| it.takes_out(folder.as_bytes(), is_beside));
            assert_eq!(found, expected, "{names:?} {folder}: {why}");
        }
    }

    #[test]
    fn what_tells() {
        let both = site(&["config.toml", "content", "kim.md"]).unwrap();
        assert!(both.is_told_by(b"config.toml") && both.is_told_by(b"content"));
        assert!(!both.is_told_by(b"kim.md") && !both.is_told_by(b"hugo.toml"));
        assert!(may_tell(b"content") && may_tell(b".obsidian") && !may_tell(b"kim.md"));
    }
}
