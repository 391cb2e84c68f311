//! Errors as clients see them: a small page, or problem JSON (RFC 9457).
//!
//! Pure. What the log says of an error is another text.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;

use crate::serve::accept;

/// Why a request is not answered with what it asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// 400, with what is wrong.
    BadRequest(&'static str),
    /// 404.
    NotFound,
    /// 405; goes with `Allow`.
    NotAllowed,
    /// 406.
    NotAcceptable,
    /// 408.
    BodyTimeout,
    /// 408, of the head.
    HeadTimeout,
    /// 410.
    Gone,
    /// 412.
    PreconditionFailed,
    /// 413.
    BodyTooLarge,
    /// 414.
    UriTooLong,
    /// 416, with the length of the file.
    RangeNotSatisfiable(u64),
    /// 417.
    ExpectationFailed,
    /// 421.
    Misdirected,
    /// 429, with the seconds until it may ask again.
    TooOften(u64),
    /// 431.
    HeadTooLarge,
    /// 500.
    Internal,
    /// 501, of the method.
    NotImplemented,
    /// 501, of the body's transfer coding.
    UnknownCoding,
    /// 503; goes with `Retry-After`.
    Busy,
    /// 505.
    UnknownVersion,
}

impl Refusal {
    pub fn status(self) -> StatusCode {
        match self {
            Refusal::BadRequest(_) => StatusCode::BAD_REQUEST,
            Refusal::NotFound => StatusCode::NOT_FOUND,
            Refusal::NotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Refusal::BodyTimeout | Refusal::HeadTimeout => StatusCode::REQUEST_TIMEOUT,
            Refusal::Gone => StatusCode::GONE,
            Refusal::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Refusal::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::UriTooLong => StatusCode::URI_TOO_LONG,
            Refusal::RangeNotSatisfiable(_) => StatusCode::RANGE_NOT_SATISFIABLE,
            Refusal::ExpectationFailed => StatusCode::EXPECTATION_FAILED,
            Refusal::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Refusal::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
            Refusal::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Refusal::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Refusal::NotImplemented | Refusal::UnknownCoding => StatusCode::NOT_IMPLEMENTED,
            Refusal::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::UnknownVersion => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
        }
    }

    /// A sentence for people; nothing of the request is in it.
    fn detail(self) -> String {
        match self {
            Refusal::BadRequest(problem) => format!("This request is malformed: {problem}."),
            Refusal::NotFound => "Nothing stands at this address.".into(),
            Refusal::NotAllowed => "This address can be read and not written.".into(),
            Refusal::NotAcceptable => "It is not to be had in any coding you accept.".into(),
            Refusal::BodyTimeout => "The body of the request did not arrive in time.".into(),
            Refusal::HeadTimeout => "The request did not arrive in time.".into(),
            Refusal::HeadTooLarge => "The fields of the request are too large.".into(),
            Refusal::UnknownVersion => "This version of HTTP is not spoken here.".into(),
            Refusal::Gone => "What stood at this address was withdrawn.".into(),
            Refusal::PreconditionFailed => "It has changed since you last saw it.".into(),
            Refusal::BodyTooLarge => "The body of the request is too large.".into(),
            Refusal::UriTooLong => "The address is too long.".into(),
            Refusal::RangeNotSatisfiable(length) => {
                format!("The file is {length} bytes long; none of the range lies in it.")
            }
            Refusal::Misdirected => "This is not the server for this address.".into(),
            Refusal::TooOften(seconds) => format!(
                "You have it already: please ask with If-None-Match or If-Modified-Since, or again \
                 in {seconds} seconds."
            ),
            Refusal::Internal => "Something went wrong here; the log says what.".into(),
            Refusal::ExpectationFailed => "Only `100-continue` can be expected here.".into(),
            Refusal::UnknownCoding => "Only chunked bodies are understood here.".into(),
            Refusal::NotImplemented => "This method is not known here.".into(),
            Refusal::Busy => "There is too much to do; please ask again in a moment.".into(),
        }
    }

    /// The body, and its media type, as the client prefers it.
    pub fn body(self, headers: &HeaderMap) -> (HeaderValue, Bytes) {
        let status = self.status();
        let title = status.canonical_reason().unwrap_or_default();
        let detail = self.detail();
        if accept::prefers_json(headers) {
            let problem =
                Problem { kind: "about:blank", title, status: status.as_u16(), detail: &detail };
            let json = serde_json::to_vec(&problem).expect("texts and a number are JSON");
            return (HeaderValue::from_static("application/problem+json"), json.into());
        }
        let page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <title>{number} {title}</title>\n\
             <style>body{{font:1.1em/1.5 sans-serif;max-width:30em;margin:4em auto;\
             padding:0 1em}}</style>\n\
             <h1>{title}</h1>\n<p>{detail}</p>\n</html>\n",
            number = status.as_u16(),
            detail = detail.replace('<', "&lt;"),
        );
        (HeaderValue::from_static("text/html; charset=utf-8"), page.into())
    }
}

/// RFC 9457, section 3.1.
#[derive(Debug, Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
}

#[cfg(test)]
mod tests {
    use http::header::ACCEPT;

    use super::*;

    #[test]
    fn a_page_or_problem_json() {
        let (media_type, body) = Refusal::Gone.body(&HeaderMap::new());
        assert_eq!(media_type, "text/html; charset=utf-8");
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(body.contains("<title>410 Gone</title>"), "{body}");

        let json = HeaderValue::from_static("application/json");
        let (media_type, body) = Refusal::NotFound.body(&[(ACCEPT, json)].into_iter().collect());
        assert_eq!(media_type, "application/problem+json");
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "type": "about:blank",
                "title": "Not Found",
                "status": 404,
                "detail": "Nothing stands at this address.",
            })
        );
    }
}
