#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "ipvs/checkers/http_reader.h"

struct nghttp2_session;

namespace vigil::checkers {

/// The client's side of one GET by HTTP/2 (RFC 9113), without the network. Bounded like HttpReader.
class Http2Reader {
public:
    using State = HttpReader::State;
    static constexpr int most_idle_frames = 1000;   ///< without a part of the body: headers, settings, pings, empty DATA and what else there is

    /// `scheme`: "http" or "https". `listener` must live as long.
    Http2Reader(HttpListener& listener, std::string_view path, std::string_view authority, std::string_view scheme);
    Http2Reader(const Http2Reader&) = delete;
    Http2Reader& operator=(const Http2Reader&) = delete;

    /// To be sent now: the request, and what the protocol wants besides.
    std::string take_output();
    State on_octets(std::string_view octets);
    /// The server closed the connection.
    State on_end();

    State state() const { return state_; }
    /// When broken, for logs: "this is not HTTP/2: ...", "the server gave up: REFUSED_STREAM".
    const std::string& error() const { return error_; }

private:
    friend struct Http2Callbacks;
    struct Free {
        void operator()(nghttp2_session* session) const;
    };

    State fail(std::string error);
    int on_frame(bool is_promise);
    int on_header(std::string_view name, std::string_view value);
    void on_stream_end(std::uint32_t error_code);

    HttpListener& listener_;
    std::unique_ptr<nghttp2_session, Free> session_;
    State state_ = State::reading;
    bool has_status_ = false;
    std::size_t header_octets_ = 0;
    int interim_answers_ = 0;
    std::uint64_t octets_ = 0;         // that came
    std::uint64_t body_octets_ = 0;    // of them
    int idle_frames_ = -1;             // before the first frame there is none
    bool has_body_in_frame_ = false;   // of the frame that is being read
    std::string error_;
};

}  // namespace vigil::checkers
