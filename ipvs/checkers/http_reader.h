#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "ipvs/checkers/check_spec.h"

namespace vigil::checkers {

/// Who hears what an answer says.
class HttpListener {
public:
    /// Once, and first.
    virtual void on_status(unsigned code) = 0;
    /// Without chunk sizes (RFC 9112 §7.1).
    virtual void on_body(std::string_view octets) = 0;
    /// The answer is complete.
    virtual void on_end() = 0;
    /// The rest of the answer need not be read.
    virtual bool is_settled() const = 0;
    virtual ~HttpListener() = default;
};

/// Reads one HTTP/1.x answer that comes in pieces (RFC 9112), and bounds it. Interim answers (1xx) are skipped.
class HttpReader {
public:
    static constexpr std::uint32_t most_header_octets = 64 * 1024;
    static constexpr int most_interim_answers = 8;
    /// What is neither header nor body: sizes and extensions of chunks, trailers; frames of HTTP/2 and padding.
    static constexpr std::uint64_t most_other_octets = 16ULL * 1024 * 1024;

    enum class State : std::uint8_t { reading, complete, broken };

    /// `listener` must live as long.
    explicit HttpReader(HttpListener& listener, std::string request = {});
    ~HttpReader();

    /// To be sent now: the request, once.
    std::string take_output() { return std::exchange(request_, {}); }
    /// More octets. Nothing happens any more when it is not `reading`.
    State on_octets(std::string_view octets);
    /// The server closed the connection, which ends some answers and breaks others.
    State on_end();

    State state() const { return state_; }
    /// When broken, for logs: "this is not HTTP: bad version", "the header has more than 64 KiB".
    const std::string& error() const { return error_; }

private:
    struct Parser;

    std::string_view parse(std::string_view octets);
    void on_header();
    State complete();
    State fail(std::string error);

    HttpListener& listener_;
    std::string request_;
    std::unique_ptr<Parser> parser_;
    std::string pending_;         // octets that the parser wants to see again, with more behind them
    bool is_at_start_ = true;     // the first octets are being gathered
    std::uint64_t octets_ = 0;    // that came
    State state_ = State::reading;
    bool has_status_ = false;
    int interim_answers_ = 0;
    std::string error_;
};

/// The text of a GET request (RFC 9112 §3, §5) of HTTP/1.0 or 1.1. Nothing of `path` and `host` is encoded.
std::string write_request(std::string_view path, std::string_view host, HttpProtocol protocol);

}  // namespace vigil::checkers
