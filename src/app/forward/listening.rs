//! Where on the leader its services listen: some only on the private address,
//! some on every one.

use std::net::Ipv4Addr;

use crate::remote::{self, RemoteError, Session};

/// Prints the tables of sockets. Every Linux has these, whatever tools it lacks.
const TABLES: &str = "cat /proc/net/tcp /proc/net/tcp6";

/// How much of the tables is read, in bytes: some 25,000 sockets. Those that listen
/// come first.
const MOST: usize = 4 * 1024 * 1024;

/// The state of a socket that listens.
const LISTENS: &str = "0A";

/// The lines of the node's tables of sockets, as many as are read.
pub async fn look(session: &dyn Session) -> Result<Vec<String>, RemoteError> {
    Ok(remote::answer(session, TABLES, MOST).await?.lines)
}

/// The address to connect to on the node for `port`: its
/// loopback if that is among those listened at. `None` where nobody listens.
pub fn address(table: &[String], port: u16) -> Option<Ipv4Addr> {
    let mut listening = table.iter().filter_map(|line| listener(line, port)).collect::<Vec<_>>();
    listening.sort_by_key(|address| !address.is_loopback());
    listening.first().copied()
}

/// `  1: 0600010A:2049 00000000:0000 0A …`: an address of which each group of
/// four bytes is turned round, and a port.
fn listener(line: &str, port: u16) -> Option<Ipv4Addr> {
    let mut words = line.split_whitespace().skip(1);
    let (address, its_port) = words.next()?.split_once(':')?;
    if words.nth(1)? != LISTENS || u16::from_str_radix(its_port, 16).ok()? != port {
        return None;
    }
    // An IPv4 address in IPv6's form has it in the last group.
    let (before, last) = address.split_at(address.len().checked_sub(8)?);
    let bytes = u32::from_str_radix(last, 16).ok()?.to_le_bytes();
    let mapped = before.is_empty() || before.ends_with("FFFF0000");
    let any = bytes == [0; 4] && before.trim_start_matches('0').is_empty();
    match (any, mapped) {
        (true, _) => Some(Ipv4Addr::LOCALHOST),
        (false, true) => Some(Ipv4Addr::from(bytes)),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Linux writes it.
    const TABLE: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1A90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1
   1: 0600010A:1A90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1
   2: 0600010A:2049 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3 1
   3: 0600010A:2711 0700020A:C350 01 00000000:00000000 00:00000000 00000000     0        0 4 1
  sl  local_address                         remote_address                        st tx_queue
   0: 00000000000000000000000000000000:2711 00000000000000000000000000000000:0000 0A 00000000:0
   1: 0000000000000000FFFF00000600010A:138D 00000000000000000000000000000000:0000 0A 00000000:0
   2: B80D01200000000000000000010000FE:0050 00000000000000000000000000000000:0000 0A 00000000:0";

    #[test]
    fn the_address_is_read_off_the_tables() {
        let table: Vec<_> = TABLE.lines().map(str::to_owned).collect();
        let private = Some(Ipv4Addr::new(10, 1, 0, 6));
        for (port, expected) in [
            (6800, Some(Ipv4Addr::LOCALHOST)),
            (8265, private),
            (10001, Some(Ipv4Addr::LOCALHOST)),
            (5005, private),
            (80, None),
            (50000, None),
        ] {
            assert_eq!(address(&table, port), expected, "{port}");
        }
    }
}
