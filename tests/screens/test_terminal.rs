//! An in-memory terminal that a test can read while the dashboard draws on it.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard},
};

use ratatui::{
    backend::{Backend, ClearType, TestBackend, WindowSize},
    buffer::Cell,
    layout::{Position, Size},
};
use tokio::sync::watch;

use super::test_dashboard;

/// The test's side: the shown text, and the number of frames.
#[derive(Clone)]
pub struct TestTerminal {
    inner: Arc<Mutex<TestBackend>>,
    frames: watch::Sender<usize>,
}

/// The dashboard's side.
pub struct Behind(TestTerminal);

impl TestTerminal {
    pub fn new(width: u16, height: u16) -> Self {
        let inner = Arc::new(Mutex::new(TestBackend::new(width, height)));
        Self { inner, frames: watch::Sender::new(0) }
    }

    /// Returns the dashboard's side.
    pub fn behind(&self) -> Behind {
        Behind(self.clone())
    }

    /// Returns the shown text.
    pub fn text(&self) -> String {
        test_dashboard::text(self.lock().buffer())
    }

    /// Returns the number of frames drawn so far.
    pub fn frames(&self) -> usize {
        *self.frames.borrow()
    }

    /// Waits until `wanted` is shown.
    pub async fn until(&self, wanted: &str) {
        let mut frames = self.frames.subscribe();
        let shown = async {
            while !self.text().contains(wanted) {
                frames.changed().await.unwrap();
            }
        };
        // Far longer than anything in a simulated world takes, and no real time on a paused clock.
        let in_time = tokio::time::timeout(std::time::Duration::from_hours(1), shown).await;
        assert!(in_time.is_ok(), "{wanted:?} never came:\n{}", self.text());
    }

    fn lock(&self) -> MutexGuard<'_, TestBackend> {
        self.inner.lock().unwrap()
    }
}

impl Backend for Behind {
    type Error = Infallible;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), Infallible>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        self.0.lock().draw(content)
    }

    fn hide_cursor(&mut self) -> Result<(), Infallible> {
        self.0.lock().hide_cursor()
    }

    fn show_cursor(&mut self) -> Result<(), Infallible> {
        self.0.lock().show_cursor()
    }

    fn get_cursor_position(&mut self) -> Result<Position, Infallible> {
        self.0.lock().get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Infallible> {
        self.0.lock().set_cursor_position(position)
    }

    fn clear(&mut self) -> Result<(), Infallible> {
        self.0.lock().clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> Result<(), Infallible> {
        self.0.lock().clear_region(clear_type)
    }

    fn size(&self) -> Result<Size, Infallible> {
        self.0.lock().size()
    }

    fn window_size(&mut self) -> Result<WindowSize, Infallible> {
        self.0.lock().window_size()
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        self.0.lock().flush()?;
        self.0.frames.send_modify(|frames| *frames += 1);
        Ok(())
    }
}
