//! The entrance.

fn main() {}
