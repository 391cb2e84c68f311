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
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, FORWARDED, HeaderName, STRICT_TRANSPORT_SECURITY,
    TRANSFER_ENCODING, USER_AGENT, VIA,
};
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use hyper::body::{Body as _, Incoming};
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::render::rendition::Key;
use crate::serve::body::Body;
use crate::serve::connection::Protocols;
use crate::serve::crowd::Crowd;
use crate::serve::fields::Fields;
use crate::serve::flight::{Flights, Unmade};
use crate::serve::journal::Line;
use crate::serve::meter::{Kind, Meter};
use crate::serve::pace::Phase;
use crate::serve::peer::{self, Peer};
use crate::serve::polls::Polls;
use crate::serve::refusal::Refusal;
use crate::serve::respond::{self, Asked, Channel, Decision, FilePart, Role, Site};
use crate::serve::subscribers::Readership;
use crate::serve::{Access, Health, Options, file, response, unread};
use crate::shelf::snapshot::{self, Body as Stored, Document, Item, Shelved, View};

/// What all connections share until the server ends.
pub(super) struct Lasting {
    pub(super) view: View,
    pub(super) flights: Arc<Flights>,
    pub(super) health: Health,
    /// How many files may be read at once.
    pub(super) readers: Arc<Semaphore>,
    pub(super) meter: Arc<Meter>,
    pub(super) polls: Polls,
    pub(super) crowd: Arc<Crowd>,
    pub(super) readership: Readership,
    pub(super) is_stopping: AtomicBool,
}

/// What those connections share that came in since the options were last read.
pub(super) struct Shared {
    pub(super) lasting: Arc<Lasting>,
    pub(super) protocols: Protocols,
    pub(super) site: Site,
    pub(super) options: Options,
}

/// Who is at the other end, and how it came in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visitor {
    pub(super) peer: Peer,
    pub(super) role: Role,
    pub(super) is_secure: bool,
}

/// Answers the requests of one connection.
#[derive(Clone)]
pub(super) struct Responder {
    shared: Arc<Shared>,
    phase: Phase,
    visitor: Visitor,
    answered: Arc<AtomicU32>,
    /// Whether the client says for how many subscribers it asks.
    tells_readers: Arc<AtomicBool>,
}

impl Responder {
    pub(super) fn new(shared: Arc<Shared>, phase: Phase, visitor: Visitor) -> Responder {
        let (answered, tells_readers) = Default::default();
        Responder { shared, phase, visitor, answered, tells_readers }
    }
}

/// A response, and what kind of thing it is for those who count.
type Reply = (Response<Body>, Kind);

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
        let began = Instant::now();
        let first = match request.body().is_end_stream() {
            true => catch_unwind(AssertUnwindSafe(|| self.first(&request)))
                .unwrap_or_else(|_| Ok(self.refuse(Refusal::Internal, &request))),
            false => Err(Later::Drain),
        };
        match first {
            Ok(reply) => Answer::Now(Some(self.finish(reply, &request, began))),
            Err(later) => {
                self.phase.working();
                let has_body = matches!(later, Later::Drain);
                let this = self.clone();
                Answer::Later(Box::pin(async move {
                    let (head, body) = request.into_parts();
                    let request = Request::from_parts(head, ());
                    let is_last = !body.is_end_stream() && is_doubtful(request.headers());
                    let steps = this.later(later, &request, body);
                    let reply = Contained(Box::pin(steps)).await;
                    let mut reply =
                        reply.unwrap_or_else(|| this.refuse(Refusal::Internal, &request));
                    if is_last && request.version() < Version::HTTP_2 {
                        response::close(reply.0.headers_mut());
                    }
                    if reply.0.headers().contains_key(CONNECTION) {
                        this.phase.leave_rest();
                    }
                    // Otherwise the connection holds more than bytes that are written.
                    if !has_body && !matches!(reply.0.body(), Body::File(_)) {
                        this.phase.answered();
                    }
                    this.finish(reply, &request, began)
                }))
            }
        }
    }
}

impl Responder {
    /// Counts the answer and logs it.
    fn finish<B>(
        &self,
        (mut response, kind): Reply,
        request: &Request<B>,
        began: Instant,
    ) -> Response<Body> {
        let Shared { lasting, options, .. } = &*self.shared;
        let answered = self.answered.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let is_last = answered >= options.requests
            || self.phase.is_doubtful()
            || lasting.is_stopping.load(Ordering::Relaxed);
        if is_last && request.version() < Version::HTTP_2 {
            response::close(response.headers_mut());
        }
        // RFC 6797, section 7.2: never without TLS.
        if let Some(hsts) = &options.hsts
            && self.visitor.is_secure
        {
            response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, hsts.clone());
        }
        let took = began.elapsed();
        lasting.meter.answered(kind, response.status(), took);
        if let Some(journal) = &options.journal {
            let line = Line {
                client: self.client(request.headers()),
                now: Timestamp::now(),
                method: request.method(),
                uri: request.uri(),
                version: request.version(),
                headers: request.headers(),
                status: response.status(),
                bytes: response.body().size_hint().exact().unwrap_or_default(),
                microseconds: took.as_micros() as u64,
            };
            (journal.sink)(line.written(journal.format));
        }
        response
    }

    /// The answer to a request that could not be read, as bytes.
    pub(super) fn refuse_unread(&self, refusal: Refusal, head: &[u8]) -> Vec<u8> {
        let Shared { lasting, options, .. } = &*self.shared;
        let guessed = unread::guess(head);
        let response = response::refuse(refusal, &guessed.headers, &guessed.method);
        let (bytes, response) = unread::written(response, SystemTime::now());
        lasting.meter.answered(Kind::Other, response.status(), Duration::ZERO);
        if let Some(journal) = &options.journal {
            let line = Line {
                // Who cannot be read says nothing that is believed.
                client: self.visitor.peer.address,
                now: Timestamp::now(),
                method: &guessed.method,
                uri: &guessed.uri,
                version: Version::HTTP_11,
                headers: &guessed.headers,
                status: response.status(),
                bytes: response.body().size_hint().exact().unwrap_or_default(),
                microseconds: 0,
            };
            (journal.sink)(line.written(journal.format));
        }
        bytes
    }

    fn client(&self, headers: &HeaderMap) -> Option<std::net::IpAddr> {
        let options = &self.shared.options;
        peer::client(self.visitor.peer, headers, options.told, &options.trusted)
    }

    fn asked<'r, B>(&self, request: &'r Request<B>) -> Asked<'r> {
        let Visitor { peer, role, is_secure } = self.visitor;
        let is_here = peer.is_here();
        let may_watch = request.uri().path().ends_with("/metrics")
            && match self.shared.options.metrics {
                Access::Nobody => false,
                Access::Everybody => true,
                Access::Loopback => {
                    peer.address.is_some() && is_here && !is_forwarded(request.headers())
                }
            };
        Asked {
            method: request.method(),
            uri: request.uri(),
            version: request.version(),
            headers: request.headers(),
            fields: Fields::of(request.headers()),
            channel: Channel { role, is_secure, is_proxied: peer.is_trusted || is_here, may_watch },
        }
    }

    /// The answer where it is on the shelf or needs nothing of it.
    fn first<B>(&self, request: &Request<B>) -> Result<Reply, Later> {
        let snapshot = self.shared.lasting.view.now();
        let asked = self.asked(request);
        let decision = respond::respond(&snapshot, &asked, &self.shared.site);
        self.carry_out(decision, request, asked.fields)
    }

    fn carry_out<B>(
        &self,
        decision: Decision<'_>,
        request: &Request<B>,
        fields: Fields,
    ) -> Result<Reply, Later> {
        let Shared { lasting, options, .. } = &*self.shared;
        let (view, caching) = (&lasting.view, &options.caching);
        Ok(match decision {
            Decision::Ready { shelved, document, choice } => {
                if document.kind == snapshot::Kind::Feed
                    && let Err(wait) = self.note_poll(shelved, request.headers(), fields)
                {
                    let seconds = wait.as_millis().div_ceil(1000) as u64;
                    return Ok(self.refuse(Refusal::TooOften(seconds), request));
                }
                view.note_use(shelved);
                if let Some(coding) = choice.wish {
                    view.wish(shelved, coding);
                }
                let response = response::ready(document, &choice, request.method(), caching);
                (response, kind(document))
            }
            Decision::Delta { shelved, document, variant, etag, is_gzip, base } => {
                self.note_readers(shelved, request.headers());
                view.note_use(shelved);
                let changed = response::Changed { document, variant, etag, is_gzip, base };
                (response::delta(changed, request.method()), Kind::Feed)
            }
            Decision::Whole(key) => {
                let snapshot = view.now();
                match snapshot.get(&key.path()) {
                    Some(feed) => {
                        let asked = self.asked(request);
                        let decision = respond::answer(feed, &asked, &self.shared.site);
                        return self.carry_out(decision, request, fields);
                    }
                    None => return Err(Later::Make(key, true)),
                }
            }
            Decision::NotModified { shelved, document, choice, etag } => {
                if document.kind == snapshot::Kind::Feed {
                    self.note_readers(shelved, request.headers());
                }
                view.note_use(shelved);
                let variant = choice.variant;
                (response::unchanged(document, variant, etag, caching), kind(document))
            }
            Decision::File { shelved, .. } => {
                view.note_use(shelved);
                return Err(Later::Open(Arc::clone(shelved)));
            }
            Decision::Redirect(redirect) => {
                (response::redirect(&redirect, request.method(), caching), Kind::Other)
            }
            Decision::Cold(key) => return Err(Later::Make(key, false)),
            Decision::Health => (self.health(request.method(), true), Kind::Watch),
            Decision::Readiness => (self.health(request.method(), self.is_ready()), Kind::Watch),
            Decision::Metrics => (self.metrics(request.method()), Kind::Watch),
            Decision::Options => (response::options(), Kind::Other),
            Decision::Refuse(refusal) => self.refuse(refusal, request),
        })
    }

    /// Notes that a client asks for a feed; an error is how long it has to wait where it
    /// asks too often without saying what it has already.
    fn note_poll(
        &self,
        feed: &Shelved,
        headers: &HeaderMap,
        fields: Fields,
    ) -> Result<(), Duration> {
        self.note_readers(feed, headers);
        let options = &self.shared.options;
        if fields.has(Fields::VALIDATORS) || options.polls.burst == 0 {
            return Ok(());
        }
        let client = self.client(headers).filter(|it| !it.is_loopback());
        match client.filter(|it| !options.trusted.hold(Some(*it))) {
            Some(client) => {
                self.shared.lasting.polls.take(client, &feed.path, options.polls, Instant::now())
            }
            None => Ok(()),
        }
    }

    fn note_readers(&self, feed: &Shelved, headers: &HeaderMap) {
        // A client is one and the same on all of its connection; a proxy is not.
        let is_known = self.answered.load(Ordering::Relaxed) > 0 && !self.visitor.peer.is_trusted;
        if is_known && !self.tells_readers.load(Ordering::Relaxed) {
            return;
        }
        let Some(agent) = headers.get(USER_AGENT).and_then(|it| it.to_str().ok()) else { return };
        if agent.contains(" subscriber") {
            self.tells_readers.store(true, Ordering::Relaxed);
            self.shared.lasting.readership.note(&feed.path, agent, Instant::now());
        }
    }

    /// The answer where something has to be waited for.
    async fn later(&self, later: Later, request: &Request<()>, body: Incoming) -> Reply {
        let mut step = match later {
            Later::Drain => {
                if let Some(refusal) = respond::unmet(request.headers()) {
                    return self.refuse(refusal, request);
                }
                // Who asks first whether a body is welcome hears that none is.
                if !request.headers().contains_key(EXPECT)
                    && let Err(refusal) = self.drain(request.headers(), body).await
                {
                    return self.refuse(refusal, request);
                }
                self.phase.answering();
                self.phase.working();
                self.first(request)
            }
            step => Err(step),
        };
        loop {
            match step {
                Ok(reply) => return reply,
                Err(Later::Make(key, is_whole)) => {
                    let Shared { lasting, options, site, .. } = &*self.shared;
                    let made = lasting.flights.join(key, options.makes, options.make_timeout);
                    step = match made.await {
                        Ok(shelved) => {
                            let (asked, snapshot) = (self.asked(request), lasting.view.now());
                            let decision = match is_whole {
                                true => respond::answer(&shelved, &asked, site),
                                false => respond::standing(&snapshot, &shelved, &asked, site),
                            };
                            self.carry_out(decision, request, asked.fields)
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
        let most = self.shared.options.max_body as u64;
        let is_too_large = headers
            .get(CONTENT_LENGTH)
            .and_then(|it| it.to_str().ok()?.parse::<u64>().ok())
            .is_some_and(|it| it > most);
        if is_too_large {
            return Err(Refusal::BodyTooLarge);
        }
        let drained = timeout(self.shared.options.header_timeout, async {
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

    async fn open(&self, shelved: &Shelved, request: &Request<()>) -> Reply {
        let Item::Document(document @ Document { body: Stored::File(path), .. }) = &shelved.item
        else {
            return self.refuse(Refusal::Internal, request);
        };
        let readers = &self.shared.lasting.readers;
        let opened = {
            let (root, path) = (Arc::clone(&self.shared.options.root), path.clone());
            let Ok(_reader) = readers.acquire().await else {
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
        let caching = &self.shared.options.caching;
        match respond::file(&self.asked(request), &open.1) {
            FilePart::NotModified(etag) => {
                let date = open.1.modified.map(response::http_date);
                (response::not_modified(document, etag, date, caching), Kind::File)
            }
            FilePart::Send(ranges) => {
                let method = request.method();
                self.phase.streaming();
                (response::file(document, open, ranges, method, caching, readers), Kind::File)
            }
            FilePart::Refuse(refusal) => self.refuse(refusal, request),
        }
    }

    fn refuse<B>(&self, refusal: Refusal, request: &Request<B>) -> Reply {
        (response::refuse(refusal, request.headers(), request.method()), Kind::Other)
    }

    /// Whether what is always kept is there.
    fn is_ready(&self) -> bool {
        let now = self.shared.lasting.view.now();
        snapshot::pinned().iter().all(|it| now.get(&it.path()).is_some())
    }

    fn health(&self, method: &Method, is_ready: bool) -> Response<Body> {
        let report = (self.shared.lasting.health)();
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

    fn metrics(&self, method: &Method) -> Response<Body> {
        let lasting = &self.shared.lasting;
        let report = (lasting.health)();
        let is_well = report.can_serve && report.reasons.is_empty();
        let subscribers = lasting.readership.list(Instant::now());
        let open = lasting.crowd.total();
        response::metrics(lasting.meter.text(open, &report, is_well, &subscribers), method)
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

/// Whether what follows a body may be something else than it seems: chunks, which a
/// proxy may have read differently, and a body that was not read. Then this is the
/// connection's last request.
fn is_doubtful(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING) || headers.contains_key(EXPECT)
}

/// Whether somebody else asked the one who asks.
fn is_forwarded(headers: &HeaderMap) -> bool {
    const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
    const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
    [FORWARDED, VIA, X_FORWARDED_FOR, X_REAL_IP].iter().any(|it| headers.contains_key(it))
}

fn kind(document: &Document) -> Kind {
    match document.kind {
        snapshot::Kind::Feed | snapshot::Kind::Delta | snapshot::Kind::List => Kind::Feed,
        snapshot::Kind::Archive => Kind::Archive,
        snapshot::Kind::Page | snapshot::Kind::Visit => Kind::Page,
        snapshot::Kind::Media | snapshot::Kind::Active => Kind::File,
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
