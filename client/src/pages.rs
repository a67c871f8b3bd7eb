//! Lists that come in pages.
//!
//! The first page is of the newest tree, or of the one that was asked for; its token holds the others
//! to the same tree and the same filter. So what is appended meanwhile shifts nothing: a walk sees
//! each row once.

use crate::error::{refused, unverified};
use crate::retry::repeat;
use crate::{ClientError, RetryPolicy};
use std::pin::Pin;
use stella_proto::reason::Reason;
use tonic::Status;

/// Rows that [`Pages::all`] holds in memory, at most; an empty page counts as one.
pub const MAX_LISTED_ROWS: usize = 1_000_000;

/// Rows on a page, at most. The default leaves it to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PageSize(u32);

impl PageSize {
    /// So many rows; 0 leaves it to the server, which also cuts what is too much for it.
    #[must_use]
    pub const fn new(rows: u32) -> Self {
        Self(rows)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// Which page is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// Where it begins; empty at the beginning.
    pub(crate) token: String,
    pub(crate) size: PageSize,
}

/// Rows, and the token of the page behind them.
type Rows<T> = (Result<Vec<T>, ClientError>, String);
type Asked<T> = Pin<Box<dyn Future<Output = Result<Rows<T>, Status>> + Send>>;

/// A list, page by page. Pages are asked for as they are wanted, and again when a connection breaks.
pub struct Pages<T> {
    ask: Box<dyn FnMut(Place) -> Asked<T> + Send>,
    policy: RetryPolicy,
    size: PageSize,
    /// Where the next page begins; `None` behind the last one.
    token: Option<String>,
}

impl<T> std::fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pages")
            .field("policy", &self.policy)
            .field("size", &self.size)
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}

impl<T: 'static> Pages<T> {
    /// A list whose pages `ask` asks for, and `read` makes rows of.
    pub(crate) fn new<W, F>(
        policy: &RetryPolicy,
        mut ask: impl FnMut(Place) -> F + Send + 'static,
        read: fn(&W) -> Result<T, ClientError>,
    ) -> Self
    where
        W: 'static,
        F: Future<Output = Result<(Vec<W>, String), Status>> + Send + 'static,
    {
        let ask = move |place| -> Asked<T> {
            let asked = ask(place);
            Box::pin(async move {
                let (rows, next) = asked.await?;
                Ok((rows.iter().map(read).collect(), next))
            })
        };
        Self {
            ask: Box::new(ask),
            policy: policy.clone(),
            size: PageSize::default(),
            token: Some(String::new()),
        }
    }

    /// With pages of another size.
    #[must_use]
    pub const fn of(mut self, size: PageSize) -> Self {
        self.size = size;
        self
    }

    /// The next page, which may be empty; `None` behind the last one. Giving up the wait, or an
    /// error, loses nothing: the same page is asked for again.
    ///
    /// # Errors
    /// [`ClientError::Unverified`] for rows that are malformed; what the server refuses, or the
    /// connection breaks with for longer than the policy allows.
    pub async fn next(&mut self) -> Result<Option<Vec<T>>, ClientError> {
        let Some(token) = self.token.clone() else {
            return Ok(None);
        };
        let place = Place {
            token: token.clone(),
            size: self.size,
        };
        let (rows, next) = repeat(&self.policy, || (self.ask)(place.clone())).await?;
        let rows = rows?;
        if !next.is_empty() && next == token {
            return Err(unverified("the next page is the same page"));
        }
        self.token = Some(next).filter(|token| !token.is_empty());
        Ok(Some(rows))
    }

    /// Every row of the pages that are left, in their order.
    ///
    /// # Errors
    /// As [`Self::next`]; [`ClientError::Refused`] when there are more than [`MAX_LISTED_ROWS`]:
    /// then take page by page.
    pub async fn all(mut self) -> Result<Vec<T>, ClientError> {
        let (mut all, mut room) = (Vec::new(), MAX_LISTED_ROWS);
        while let Some(rows) = self.next().await? {
            let Some(left) = room.checked_sub(rows.len().max(1)) else {
                let message = format!("the list has more than {MAX_LISTED_ROWS} rows");
                return Err(refused(Reason::TooLarge, message));
            };
            room = left;
            all.extend(rows);
        }
        Ok(all)
    }
}
