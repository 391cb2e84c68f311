//! Renditions by URL path, ready to send.
