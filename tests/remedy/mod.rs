//! Fixes: each on an account in which its finding is the only one; the network
//! from nothing and back; killed and refused at every call. The same tests run on
//! the simulated account and on moto.

mod account;
mod careful;
mod cut;
mod each;
mod exact;
mod faulty;
mod harness;
mod hostile;
#[cfg(feature = "aws")]
mod killed;
mod lag;
mod leftovers;
#[cfg(feature = "aws")]
mod moto;
mod network;
mod once;
mod owned;
mod ports;
mod refused;
#[cfg(feature = "aws")]
mod script;
mod several;
mod site;
mod spread;

/// Defines the same test for both accounts.
macro_rules! on_both {
    ($name:ident, $test:path) => {
        mod $name {
            #[tokio::test(start_paused = true)]
            async fn simulated() {
                $test(crate::remedy::account::Account::simulated()).await;
            }

            #[cfg(feature = "aws")]
            #[tokio::test]
            async fn on_moto() {
                $test(crate::remedy::account::Account::moto()).await;
            }
        }
    };
}
use on_both;
