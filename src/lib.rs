//! Sower turns a folder into feeds.
//!
//! A stage is a folder. It makes one noun, has one public verb, and names only
//! the nouns of the stages before it; `line.rs` and `daemon.rs` alone know
//! several verbs. Read this table, then [`line`], then one folder.
//!
//! | stage | takes | makes | pure |
//! |---|---|---|---|
//! | [`watch`] | the seeds folder | [`Change`](watch::seed::Change), [`Seed`](watch::seed::Seed) | settle, compare, ignore |
//! | [`convert`] | a seed and its surroundings | [`Article`](convert::article::Article) or an error | all |
//! | [`catalog`] | sightings of articles | [`Entry`](catalog::entry::Entry), [`Scope`](catalog::scope::Scope) | decide |
//! | [`feed`] | entries of a scope, the site | [`Feed`](feed::page::Feed), references filled | all |
//! | [`render`] | a feed | [`Rendition`](render::rendition::Rendition) | all |
//! | [`shelf`] | renditions | a snapshot by URL path | all but the swap |
//! | [`serve`] | the shelf, requests | responses | respond |

pub mod problem;

mod cores;

mod characters;

pub mod watch;

pub mod convert;

pub mod catalog;

pub mod feed;

pub mod render;

pub mod shelf;

pub mod serve;

pub mod line;

pub mod config;

pub mod cli;

pub mod daemon;

pub mod state;

pub mod systemd;
