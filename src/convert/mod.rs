//! Seed to article: reads what a person wrote, whatever the format.

pub mod article;
pub mod body;
pub mod text;
