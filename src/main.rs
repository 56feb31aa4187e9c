//! Parse, choose the front end, turn a failure into an exit code.

fn main() {}
