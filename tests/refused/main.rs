//! What is refused, over the wire: bad requests, each code of the specifications, what was ended, what comes a thousand times
//! at once, and bytes at random.

mod bad_requests;
mod broken_off;
mod endings;
mod errors;
mod interleaved;
mod oauch;
mod properties;
mod races;
mod site;
