//! Whether a person opens the address of a feed, or a reader fetches it.
//!
//! Pure. A browser says that it navigates by `Sec-Fetch-Dest: document` (Fetch
//! Metadata), where the connection is one it trusts: HTTPS, or this machine. On plain
//! HTTP it says nothing of that kind, and only `Upgrade-Insecure-Requests: 1` is left.
//! Both count only with an `Accept` that prefers HTML. `Accept` alone never decides,
//! since some readers imitate browsers in it; nor does `User-Agent`.

use http::HeaderMap;
use http::header::UPGRADE_INSECURE_REQUESTS;

use crate::serve::accept;

/// Whether a person navigates here.
pub fn is_navigation(headers: &HeaderMap) -> bool {
    let is = |name: &str, expected: &[u8]| {
        headers.get(name).is_some_and(|it| it.as_bytes().trim_ascii() == expected)
    };
    let is_told = match headers.contains_key("sec-fetch-dest") {
        true => is("sec-fetch-dest", b"document"),
        // A request with one of these comes from a browser that would have said more.
        false if headers.contains_key("sec-fetch-mode") => false,
        false => headers.get(UPGRADE_INSECURE_REQUESTS).is_some_and(|it| it == "1"),
    };
    is_told && accept::prefers_html(headers)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(lines: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines.lines().map(str::trim).filter(|it| !it.is_empty()) {
            let (name, value) = line.split_once(": ").unwrap();
            let name: HeaderName = name.to_ascii_lowercase().parse().unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    /// What browsers and readers send, as seen in their sources and in logs.
    #[test]
    fn browsers_get_a_page_and_readers_the_feed() {
        let table = [
            (
                "Chrome, HTTPS",
                true,
                "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36
                 Upgrade-Insecure-Requests: 1
                 Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7
                 Sec-Fetch-Site: none
                 Sec-Fetch-Mode: navigate
                 Sec-Fetch-User: ?1
                 Sec-Fetch-Dest: document",
            ),
            (
                "Chrome, plain HTTP",
                true,
                "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36
                 Upgrade-Insecure-Requests: 1
                 Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
            ),
            (
                "Firefox, HTTPS",
                true,
                "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0
                 Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8
                 Upgrade-Insecure-Requests: 1
                 Sec-Fetch-Dest: document
                 Sec-Fetch-Mode: navigate
                 Sec-Fetch-Site: none
                 Priority: u=0, i",
            ),
            (
                "Firefox, plain HTTP",
                true,
                "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0
                 Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8
                 Upgrade-Insecure-Requests: 1",
            ),
            (
                "Safari, HTTPS",
                true,
                "User-Agent: Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15
                 Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8
                 Sec-Fetch-Dest: document
                 Sec-Fetch-Mode: navigate
                 Sec-Fetch-Site: none",
            ),
            (
                "Safari, plain HTTP",
                true,
                "User-Agent: Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15
                 Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8
                 Upgrade-Insecure-Requests: 1",
            ),
            (
                "a script of a page",
                false,
                "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0
                 Accept: */*
                 Sec-Fetch-Dest: empty
                 Sec-Fetch-Mode: cors",
            ),
            (
                "a reader in a browser's extension, which asks as pages do",
                false,
                "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36
                 Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8
                 Sec-Fetch-Dest: empty
                 Sec-Fetch-Mode: cors
                 Sec-Fetch-Site: none",
            ),
            (
                "a frame in another page",
                false,
                "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8
                 Upgrade-Insecure-Requests: 1
                 Sec-Fetch-Dest: iframe
                 Sec-Fetch-Mode: navigate",
            ),
            (
                "Thunderbird",
                false,
                "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.5.0
                 Accept: application/rss+xml,application/atom+xml,application/xml;q=0.9,text/xml;q=0.8,*/*;q=0.7
                 Sec-Fetch-Dest: empty",
            ),
            (
                "Vienna, NetNewsWire: their system's library",
                false,
                "User-Agent: NetNewsWire (RSS Reader; https://netnewswire.com/)
                 Accept: */*
                 Accept-Language: en-us
                 A-IM: feed",
            ),
            (
                "Reeder",
                false,
                "User-Agent: Reeder/5050001 CFNetwork/1568 Darwin/24.0.0
                 Accept: */*",
            ),
            (
                "Feedly",
                false,
                "User-Agent: Feedly/1.0 (+http://www.feedly.com/fetcher.html; 16 subscribers; like FeedFetcher-Google)
                 Accept: */*
                 A-IM: feed",
            ),
            (
                "Inoreader",
                false,
                "User-Agent: Mozilla/5.0 (compatible; inoreader.com; 5 subscribers)
                 Accept: */*",
            ),
            (
                "Feedbin",
                false,
                "User-Agent: Feedbin feed-id:1 - 2 subscribers
                 Accept: application/feed+json, application/atom+xml, application/rss+xml, application/xml;q=0.9, text/xml;q=0.8, */*;q=0.7",
            ),
            (
                "NewsBlur, which imitates a browser in `Accept` and in its name",
                false,
                "User-Agent: NewsBlur Feed Fetcher - 3 subscribers - https://www.newsblur.com/site/1/x (Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/14.0.1 Safari/605.1.15)
                 Accept: application/atom+xml, application/rss+xml, application/xml;q=0.8, text/xml;q=0.6, */*;q=0.2",
            ),
            (
                "Miniflux",
                false,
                "User-Agent: Mozilla/5.0 (compatible; Miniflux/2.2.14; +https://miniflux.app)
                 Accept: application/xml, application/atom+xml, application/rss+xml, application/rdf+xml, application/feed+json, text/html, */*;q=0.9",
            ),
            (
                "FreshRSS",
                false,
                "User-Agent: FreshRSS/1.27.1 (Linux; https://freshrss.org)
                 Accept: application/atom+xml, application/rss+xml, application/rdf+xml;q=0.9, application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, text/html;q=0.6, */*;q=0.2",
            ),
            (
                "Tiny Tiny RSS",
                false,
                "User-Agent: Tiny Tiny RSS/25.11 (https://tt-rss.org/)
                 Accept: */*",
            ),
            (
                "feedparser",
                false,
                "User-Agent: feedparser/6.0.12 +https://github.com/kurtmckee/feedparser/
                 Accept: application/atom+xml,application/rdf+xml,application/rss+xml,application/x-netcdf,application/xml;q=0.9,text/xml;q=0.2,*/*;q=0.1
                 A-IM: feed",
            ),
            (
                "Newsboat",
                false,
                "User-Agent: Newsboat/2.40.0 (Linux x86_64)
                 Accept: */*
                 A-IM: feed",
            ),
            (
                "Liferea",
                false,
                "User-Agent: Liferea/1.15.8 (Linux; https://lzone.de/liferea/)
                 Accept: application/atom+xml,application/xml;q=0.9,text/xml;q=0.8,*/*;q=0.7
                 A-IM: feed",
            ),
            (
                "Akregator, with all that a web view says in `Accept`",
                false,
                "User-Agent: Akregator/6.5.3; syndication
                 Accept: text/html, text/*;q=0.9, image/jpeg;q=0.9, image/png;q=0.9, image/*;q=0.9, */*;q=0.8",
            ),
            (
                "QuiteRSS, which calls itself a browser",
                false,
                "User-Agent: Mozilla/5.0 (Windows NT 6.1) AppleWebKit/538.1 (KHTML, like Gecko) QuiteRSS/0.19.4 Safari/538.1
                 Accept: application/atom+xml,application/rss+xml;q=0.9,application/xml;q=0.8,text/xml;q=0.7,*/*;q=0.6",
            ),
            (
                "RSS Guard",
                false,
                "User-Agent: RSSGuard/4.8.6
                 Accept: application/atom+xml,application/xml;q=0.9,text/xml;q=0.8,*/*;q=0.7",
            ),
            (
                "a reader that copies the `Accept` of a browser and no more",
                false,
                "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36
                 Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8",
            ),
            (
                "a reader that copies a browser and asks for feeds",
                false,
                "Upgrade-Insecure-Requests: 1
                 Accept: application/rss+xml,application/atom+xml,text/html;q=0.9,*/*;q=0.8",
            ),
            ("curl", false, "User-Agent: curl/8.17.0\nAccept: */*"),
            ("wget", false, "User-Agent: Wget/1.25.0\nAccept: */*\nAccept-Encoding: identity"),
            ("a podcast client", false, "User-Agent: AppleCoreMedia/1.0.0.22A\nAccept: */*"),
            ("nothing at all", false, ""),
        ];
        for (who, is_person, lines) in table {
            assert_eq!(is_navigation(&headers(lines)), is_person, "{who}");
        }
    }
}
