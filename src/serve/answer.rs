//! Requests of one connection to responses.
//!
//! In: requests as hyper read them. Out: responses. What is on the shelf is
//! answered at once, without a future, a lock or a copy; only what has to be made,
//! read from a file or waited for gets a future of its own. A panic is a 500 and
//! ends nothing else.

use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::SystemTime;

use http::header::{CONTENT_LENGTH, REFERER, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use hyper::body::{Body as _, Incoming};
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use crate::render::rendition::Key;
use crate::serve::body::Body;
use crate::serve::flight::{Flights, Unmade};
use crate::serve::pace::Phase;
use crate::serve::refusal::Refusal;
use crate::serve::respond::{self, Asked, Decision, FilePart, Site};
use crate::serve::{Health, Options, file, response};
use crate::shelf::snapshot::{self, Body as Stored, Document, Item, Shelved, View};

/// What all connections share.
pub(super) struct Shared {
    pub(super) view: View,
    pub(super) flights: Arc<Flights>,
    pub(super) health: Health,
    pub(super) site: Site,
    pub(super) options: Options,
    /// How many files may be read at once.
    pub(super) readers: Arc<Semaphore>,
}

/// Answers the requests of one connection.
#[derive(Clone)]
pub(super) struct Responder {
    shared: Arc<Shared>,
    phase: Phase,
    /// Who asks, for the log.
    peer: Arc<str>,
    answered: Arc<AtomicU32>,
}

impl Responder {
    pub(super) fn new(shared: Arc<Shared>, phase: Phase, peer: Arc<str>) -> Responder {
        Responder { shared, phase, peer, answered: Arc::default() }
    }
}

/// A response that is there, or comes later.
pub(super) enum Answer {
    Now(Option<Response<Body>>),
    Later(Pin<Box<dyn Future<Output = Response<Body>> + Send>>),
}

impl Future for Answer {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Answer::Now(response) => {
                Poll::Ready(Ok(response.take().expect("a future that is ready is not asked again")))
            }
            Answer::Later(future) => future.as_mut().poll(context).map(Ok),
        }
    }
}

/// What cannot be answered at once.
enum Later {
    /// The request has a body, which nobody wants.
    Drain,
    /// A key, and whether it is the answer as it is, whatever else was asked for.
    Make(Key, bool),
    Open(Arc<Shelved>),
}

impl hyper::service::Service<Request<Incoming>> for Responder {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, request: Request<Incoming>) -> Answer {
        self.phase.answering();
        let began = self.shared.options.log_requests.then(Instant::now);
        let first = match request.body().is_end_stream() {
            true => catch_unwind(AssertUnwindSafe(|| self.shared.first(&request)))
                .unwrap_or_else(|_| Ok(self.shared.refuse(Refusal::Internal, &request))),
            false => Err(Later::Drain),
        };
        match first {
            Ok(response) => Answer::Now(Some(self.finish(response, &request, began))),
            Err(later) => {
                let this = self.clone();
                Answer::Later(Box::pin(async move {
                    let (head, body) = request.into_parts();
                    let request = Request::from_parts(head, ());
                    let steps = this.shared.later(later, &request, body, &this.phase);
                    let response = Contained(Box::pin(steps)).await;
                    let response =
                        response.unwrap_or_else(|| this.shared.refuse(Refusal::Internal, &request));
                    this.finish(response, &request, began)
                }))
            }
        }
    }
}

impl Responder {
    /// Counts the answer and logs it.
    fn finish<B>(
        &self,
        mut response: Response<Body>,
        request: &Request<B>,
        began: Option<Instant>,
    ) -> Response<Body> {
        let most = self.shared.options.requests;
        if self.answered.fetch_add(1, Ordering::Relaxed).saturating_add(1) >= most
            && request.version() < Version::HTTP_2
        {
            response::close(response.headers_mut());
        }
        if let Some(began) = began {
            self.log(&response, request, began);
        }
        response
    }

    fn log<B>(&self, response: &Response<Body>, request: &Request<B>, began: Instant) {
        let text = |headers: &HeaderMap, name: HeaderName| {
            let value = headers.get(name).map(HeaderValue::as_bytes).unwrap_or_default();
            String::from_utf8_lossy(value).into_owned()
        };
        let length = response.body().size_hint().exact().unwrap_or_default();
        tracing::info!(
            target: "sower::requests",
            peer = %self.peer,
            method = %request.method(),
            path = ?request.uri().path(),
            status = response.status().as_u16(),
            bytes = length,
            agent = ?text(request.headers(), USER_AGENT),
            referer = ?text(request.headers(), REFERER),
            microseconds = began.elapsed().as_micros() as u64,
            "request"
        );
    }
}

impl Shared {
    /// The answer where it is on the shelf or needs nothing of it.
    fn first<B>(&self, request: &Request<B>) -> Result<Response<Body>, Later> {
        let snapshot = self.view.now();
        let decision = respond::respond(&snapshot, &asked(request), &self.site);
        self.carry_out(decision, request)
    }

    fn carry_out<B>(
        &self,
        decision: Decision<'_>,
        request: &Request<B>,
    ) -> Result<Response<Body>, Later> {
        let caching = &self.options.caching;
        Ok(match decision {
            Decision::Ready { shelved, document, choice } => {
                self.view.note_use(shelved);
                if let Some(coding) = choice.wish {
                    self.view.wish(shelved, coding);
                }
                response::ready(document, &choice, request.method(), caching)
            }
            Decision::Delta { shelved, document, variant, etag, is_gzip, base } => {
                self.view.note_use(shelved);
                let changed = response::Changed { document, variant, etag, is_gzip, base };
                response::delta(changed, request.method())
            }
            Decision::Whole(key) => {
                let snapshot = self.view.now();
                match snapshot.get(&key.path()) {
                    Some(feed) => {
                        let decision = respond::answer(feed, &asked(request), &self.site);
                        return self.carry_out(decision, request);
                    }
                    None => return Err(Later::Make(key, true)),
                }
            }
            Decision::NotModified { shelved, document, etag } => {
                self.view.note_use(shelved);
                let date = Some(document.last_modified.clone());
                response::not_modified(document, etag, date, caching)
            }
            Decision::File { shelved, .. } => {
                self.view.note_use(shelved);
                return Err(Later::Open(Arc::clone(shelved)));
            }
            Decision::Redirect(redirect) => {
                response::redirect(&redirect, request.method(), caching)
            }
            Decision::Cold(key) => return Err(Later::Make(key, false)),
            Decision::Health => self.health(request.method(), true),
            Decision::Readiness => self.health(request.method(), self.is_ready()),
            Decision::Options => response::options(),
            Decision::Refuse(refusal) => self.refuse(refusal, request),
        })
    }

    /// The answer where something has to be waited for.
    async fn later(
        &self,
        later: Later,
        request: &Request<()>,
        body: Incoming,
        phase: &Phase,
    ) -> Response<Body> {
        let mut step = match later {
            Later::Drain => {
                if let Some(refusal) = respond::unmet(request.headers()) {
                    return self.refuse(refusal, request);
                }
                if let Err(refusal) = self.drain(request.headers(), body).await {
                    return self.refuse(refusal, request);
                }
                phase.answering();
                self.first(request)
            }
            step => Err(step),
        };
        loop {
            match step {
                Ok(response) => return response,
                Err(Later::Make(key, is_whole)) => {
                    step = match self.flights.join(key).await {
                        Ok(shelved) => {
                            let (asked, snapshot) = (asked(request), self.view.now());
                            let decision = match is_whole {
                                true => respond::answer(&shelved, &asked, &self.site),
                                false => respond::standing(&snapshot, &shelved, &asked, &self.site),
                            };
                            self.carry_out(decision, request)
                        }
                        Err(Unmade::Busy) => Ok(self.refuse(Refusal::Busy, request)),
                        Err(Unmade::Failed) => Ok(self.refuse(Refusal::Internal, request)),
                    };
                }
                Err(Later::Open(shelved)) => return self.open(&shelved, request).await,
                Err(Later::Drain) => return self.refuse(Refusal::Internal, request),
            }
        }
    }

    /// Reads a body that nobody wants, within limits, so that the connection can go
    /// on (RFC 9112, section 9.3).
    async fn drain(&self, headers: &HeaderMap, mut body: Incoming) -> Result<(), Refusal> {
        let most = self.options.max_body as u64;
        let is_too_large = headers
            .get(CONTENT_LENGTH)
            .and_then(|it| it.to_str().ok()?.parse::<u64>().ok())
            .is_some_and(|it| it > most);
        if is_too_large {
            return Err(Refusal::BodyTooLarge);
        }
        let drained = timeout(self.options.header_timeout, async {
            let mut total = 0;
            while let Some(frame) =
                std::future::poll_fn(|it| Pin::new(&mut body).poll_frame(it)).await
            {
                let frame = frame.map_err(|_| Refusal::BadRequest("the body is malformed"))?;
                total += frame.data_ref().map_or(0, |it| it.len() as u64);
                if total > most {
                    return Err(Refusal::BodyTooLarge);
                }
            }
            Ok(())
        });
        drained.await.unwrap_or(Err(Refusal::BodyTimeout))
    }

    async fn open(&self, shelved: &Shelved, request: &Request<()>) -> Response<Body> {
        let Item::Document(document @ Document { body: Stored::File(path), .. }) = &shelved.item
        else {
            return self.refuse(Refusal::Internal, request);
        };
        let opened = {
            let (root, path) = (Arc::clone(&self.options.root), path.clone());
            let Ok(_reader) = self.readers.acquire().await else {
                return self.refuse(Refusal::Internal, request);
            };
            tokio::task::spawn_blocking(move || file::open(&root, &path, SystemTime::now())).await
        };
        let open = match opened.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
            Ok(open) => open,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return self.refuse(Refusal::NotFound, request);
            }
            Err(error) => {
                tracing::warn!("{path}: cannot be opened: {error}; the request got 500");
                return self.refuse(Refusal::Internal, request);
            }
        };
        let caching = &self.options.caching;
        match respond::file(&asked(request), &open.1) {
            FilePart::NotModified(etag) => {
                let date = open.1.modified.map(response::http_date);
                response::not_modified(document, etag, date, caching)
            }
            FilePart::Send(ranges) => {
                response::file(document, open, ranges, request.method(), caching, &self.readers)
            }
            FilePart::Refuse(refusal) => self.refuse(refusal, request),
        }
    }

    fn refuse<B>(&self, refusal: Refusal, request: &Request<B>) -> Response<Body> {
        response::refuse(refusal, request.headers(), request.method())
    }

    /// Whether what is always kept is there.
    fn is_ready(&self) -> bool {
        let now = self.view.now();
        snapshot::pinned().iter().all(|it| now.get(&it.path()).is_some())
    }

    fn health(&self, method: &Method, is_ready: bool) -> Response<Body> {
        let report = (self.health)();
        let status = match report.can_serve && is_ready {
            true => StatusCode::OK,
            false => StatusCode::SERVICE_UNAVAILABLE,
        };
        let is_well = report.can_serve && report.reasons.is_empty();
        let text = Report {
            status: if is_well { "ok" } else { "degraded" },
            entries: report.entries,
            problems: report.problems,
            reasons: &report.reasons,
        };
        let text = serde_json::to_vec(&text).expect("texts and numbers are JSON");
        response::json(status, text, method)
    }
}

/// The body of `/healthz`.
#[derive(Debug, Serialize)]
struct Report<'a> {
    status: &'a str,
    entries: u64,
    problems: u64,
    reasons: &'a [String],
}

fn asked<B>(request: &Request<B>) -> Asked<'_> {
    Asked {
        method: request.method(),
        uri: request.uri(),
        version: request.version(),
        headers: request.headers(),
    }
}

/// A future whose panic is `None`.
struct Contained<F>(Pin<Box<F>>);

impl<F: Future> Future for Contained<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(context))) {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        }
    }
}
