//! The fallback for terminals without UTF-8: the finished frame is rewritten
//! cell by cell, so that no screen needs to know.

use ratatui::buffer::Buffer;

/// Replaces everything that is not ASCII by its nearest ASCII character.
pub fn flatten(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().is_ascii() {
            let flat = cell.symbol().chars().next().map_or(' ', replacement);
            cell.set_char(flat);
        }
    }
}

fn replacement(symbol: char) -> char {
    match symbol {
        '✗' | '×' => 'x',
        '★' => '*',
        '◊' => '@',
        '▶' | '▸' | '→' | '▌' => '>',
        '▾' | '↓' => 'v',
        '↑' => '^',
        '←' => '<',
        '↔' => '=',
        '·' | '…' | '░' => '.',
        '╭' | '╮' | '╰' | '╯' | '┬' | '┴' | '├' | '┤' | '┼' | '✓' => '+',
        '─' | '—' | '–' => '-',
        '│' => '|',
        '█' => '#',
        '“' | '”' => '"',
        '‘' | '’' => '\'',
        '\u{a0}' => ' ',
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_is_ascii_afterwards() {
        let mut buffer = Buffer::with_lines(["╭ ✓ us-west-2 ↔ é ─╮"]);
        flatten(&mut buffer);
        assert_eq!(buffer, Buffer::with_lines(["+ + us-west-2 = ? -+"]));
    }
}
