// Beast reads the protocol; what is added is what a stranger's answer needs: limits on the header, on each line of a chunked body and on all of them
// together, interim answers that are skipped and counted, and causes in words for the log. A status line that ends with its code, without the space that RFC 9112 §4
// wants behind it, is common enough to be taken. Octets that the parser cannot use yet (a part of the header, a part of a chunk size) are kept
// here and shown to it again.

#include "ipvs/checkers/http_reader.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>

#include <limits>

#include <fmt/format.h>

namespace vigil::checkers {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;

/// A body that is not kept but told of.
struct HeardBody {
    struct value_type {
        HttpListener* listener = nullptr;
        std::uint64_t octets = 0;
    };

    class reader {
    public:
        template <bool is_request, class Fields>
        reader(http::header<is_request, Fields>&, value_type& body) : body_(&body) {}
        void init(const boost::optional<std::uint64_t>&, error_code& error) { error = {}; }
        template <class Buffers>
        std::size_t put(const Buffers& buffers, error_code& error) {
            error = {};
            std::size_t size = 0;
            for (auto at = boost::asio::buffer_sequence_begin(buffers); at != boost::asio::buffer_sequence_end(buffers); ++at) {
                const boost::asio::const_buffer buffer(*at);
                body_->listener->on_body({static_cast<const char*>(buffer.data()), buffer.size()});
                size += buffer.size();
            }
            body_->octets += size;
            return size;
        }
        void finish(error_code& error) { error = {}; }

    private:
        value_type* body_;   // in the message; it is set after the parser has made this
    };
};

constexpr std::string_view first_octets = "HTTP/1.";
constexpr std::size_t status_end = std::string_view("HTTP/1.1 200").size();

bool may_lack_space(std::string_view text) { return text.substr(0, first_octets.size()) == first_octets.substr(0, text.size()); }

}  // namespace

struct HttpReader::Parser : http::response_parser<HeardBody> {
    explicit Parser(HttpListener* listener) {
        get().body().listener = listener;
        header_limit(most_header_octets);
        body_limit(std::numeric_limits<std::uint64_t>::max());   // the listener counts
    }
};

HttpReader::HttpReader(HttpListener& listener, std::string request)
    : listener_(listener), request_(std::move(request)), parser_(std::make_unique<Parser>(&listener)) {}
HttpReader::~HttpReader() = default;

HttpReader::State HttpReader::fail(std::string error) {
    error_ = std::move(error);
    return state_ = State::broken;
}

HttpReader::State HttpReader::complete() {
    listener_.on_end();
    return state_ = State::complete;
}

HttpReader::State HttpReader::on_octets(std::string_view octets) {
    if (state_ != State::reading) return state_;
    octets_ += octets.size();
    if (is_at_start_) {
        pending_ += std::exchange(octets, {});
        if (pending_.size() <= status_end && may_lack_space(pending_)) return state_;
        is_at_start_ = false;
        if (may_lack_space(pending_) && pending_[status_end] == '\r') pending_.insert(status_end, 1, ' ');
    }
    if (pending_.empty()) {
        pending_ = parse(octets);
    } else {
        pending_ += octets;
        const std::size_t left = parse(pending_).size();
        pending_.erase(0, pending_.size() - left);
    }
    if (state_ != State::reading) return state_;
    if (pending_.size() > most_header_octets) return fail(fmt::format("the header has more than {} KiB", most_header_octets >> 10));
    if (octets_ - parser_->get().body().octets > most_other_octets) return fail(fmt::format("more than {} MiB beside the body", most_other_octets >> 20));
    return state_;
}

/// Returns what is left for later.
std::string_view HttpReader::parse(std::string_view octets) {
    while (state_ == State::reading && !octets.empty() && !listener_.is_settled()) {
        error_code error;
        const std::size_t used = parser_->put(boost::asio::const_buffer(octets.data(), octets.size()), error);
        octets.remove_prefix(used);
        if (error == http::error::need_more) break;
        if (error == http::error::header_limit) {
            fail(fmt::format("the header has more than {} KiB", most_header_octets >> 10));
        } else if (error) {
            fail(fmt::format("this is not HTTP: {}", error.message()));
        } else {
            if (parser_->is_header_done() && !has_status_) on_header();
            if (state_ == State::reading && has_status_ && parser_->is_done()) complete();
            if (used == 0) break;
        }
    }
    return octets;
}

void HttpReader::on_header() {
    const unsigned code = parser_->get().result_int();
    if (code >= 200 || code == 101 || code < 100) {
        has_status_ = true;
        return listener_.on_status(code);
    }
    if (++interim_answers_ > most_interim_answers) {
        fail(fmt::format("more than {} interim answers", most_interim_answers));
        return;
    }
    parser_ = std::make_unique<Parser>(&listener_);
}

HttpReader::State HttpReader::on_end() {
    if (state_ != State::reading) return state_;
    if (!has_status_) return fail(pending_.empty() ? "the connection was closed without an answer" : "the connection was closed within the header");
    error_code error;
    parser_->put_eof(error);
    if (error || !parser_->is_done()) return fail("the connection was closed before the body was complete");
    return complete();
}

std::string write_request(std::string_view path, std::string_view host, HttpProtocol protocol) {
    const bool is_1_1 = protocol == HttpProtocol::http_1_1;
    const bool says_close = is_1_1 || protocol == HttpProtocol::http_1_0_close;
    return fmt::format("GET {} HTTP/{}\r\nUser-Agent: KeepAliveClient\r\n{}Host: {}\r\n\r\n", path, is_1_1 ? "1.1" : "1.0",
                       says_close ? "Connection: close\r\n" : "", host);
}

}  // namespace vigil::checkers
