// nghttp2 speaks the protocol. What is added are limits (its own on CONTINUATION frames come with it): octets of all headers of the answer, trailers included,
// interim answers, and frames that bring nothing of the body, of which a server could send any number, each allowed by itself. Frames of kinds that nghttp2
// does not know it tells nobody of: they count by their octets. A callback that has heard enough
// makes nghttp2 stop.
//
// There is one request, so there is one stream. A server may promise another until it has heard that we want none, which it has before it reads the request:
// who answers by a promise breaks the protocol.

#include "ipvs/checkers/http2_reader.h"

#include <nghttp2/nghttp2.h>

#include <array>
#include <charconv>
#include <new>

#include <fmt/format.h>

namespace vigil::checkers {
namespace {

std::string_view text(const std::uint8_t* octets, std::size_t size) { return {reinterpret_cast<const char*>(octets), size}; }

nghttp2_nv field(std::string_view name, std::string_view value) {
    const auto octets = [](std::string_view view) { return reinterpret_cast<std::uint8_t*>(const_cast<char*>(view.data())); };
    return {octets(name), octets(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

}  // namespace

/// What nghttp2 calls.
struct Http2Callbacks {
    static int on_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name, std::size_t name_size, const std::uint8_t* value,
                         std::size_t value_size, std::uint8_t, void* reader) {
        return static_cast<Http2Reader*>(reader)->on_header(text(name, name_size), text(value, value_size));
    }
    static int on_begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* reader) {
        return static_cast<Http2Reader*>(reader)->on_frame(head->type == NGHTTP2_PUSH_PROMISE);
    }
    static int on_data(nghttp2_session*, std::uint8_t, std::int32_t, const std::uint8_t* data, std::size_t size, void* context) {
        auto& reader = *static_cast<Http2Reader*>(context);
        reader.has_body_in_frame_ = reader.has_body_in_frame_ || size > 0;
        reader.body_octets_ += size;
        if (reader.has_status_ && !reader.listener_.is_settled()) reader.listener_.on_body(text(data, size));
        return 0;
    }
    static int on_error(nghttp2_session*, int code, const char*, std::size_t, void* reader) {
        // Others are told of, too, that do no harm, such as a header that is left out.
        if (code == NGHTTP2_ERR_SETTINGS_EXPECTED) static_cast<Http2Reader*>(reader)->fail("this is not HTTP/2");
        return 0;
    }
    static int on_stream_close(nghttp2_session*, std::int32_t, std::uint32_t error_code, void* reader) {
        static_cast<Http2Reader*>(reader)->on_stream_end(error_code);
        return 0;
    }
};

void Http2Reader::Free::operator()(nghttp2_session* session) const { ::nghttp2_session_del(session); }

Http2Reader::Http2Reader(HttpListener& listener, std::string_view path, std::string_view authority, std::string_view scheme) : listener_(listener) {
    nghttp2_session_callbacks* callbacks = nullptr;
    if (::nghttp2_session_callbacks_new(&callbacks) != 0) throw std::bad_alloc();
    ::nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, Http2Callbacks::on_begin_frame);
    ::nghttp2_session_callbacks_set_on_header_callback(callbacks, Http2Callbacks::on_header);
    ::nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Http2Callbacks::on_data);
    ::nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Http2Callbacks::on_stream_close);
    ::nghttp2_session_callbacks_set_error_callback2(callbacks, Http2Callbacks::on_error);
    nghttp2_session* session = nullptr;
    const int error = ::nghttp2_session_client_new(&session, callbacks, this);
    ::nghttp2_session_callbacks_del(callbacks);
    if (error != 0) throw std::bad_alloc();
    session_.reset(session);
    const std::array settings = {nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
                                 nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HttpReader::most_header_octets}};
    ::nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
    const std::array fields = {field(":method", "GET"), field(":scheme", scheme), field(":authority", authority), field(":path", path),
                               field("user-agent", "KeepAliveClient")};
    ::nghttp2_submit_request(session, nullptr, fields.data(), fields.size(), nullptr, nullptr);
}

Http2Reader::State Http2Reader::fail(std::string error) {
    if (state_ != State::reading) return state_;
    error_ = std::move(error);
    return state_ = State::broken;
}

std::string Http2Reader::take_output() {
    std::string output;
    const std::uint8_t* data = nullptr;
    while (true) {
        const ssize_t size = ::nghttp2_session_mem_send(session_.get(), &data);
        if (size <= 0) break;
        output += text(data, static_cast<std::size_t>(size));
    }
    // The last of it was GOAWAY: the server broke the protocol, or has said it first.
    if (state_ == State::reading && !::nghttp2_session_want_read(session_.get())) fail("the server broke the protocol of HTTP/2");
    return output;
}

Http2Reader::State Http2Reader::on_octets(std::string_view octets) {
    if (state_ != State::reading) return state_;
    const ssize_t used = ::nghttp2_session_mem_recv(session_.get(), reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size());
    if (used < 0) return fail(fmt::format("this is not HTTP/2: {}", ::nghttp2_strerror(static_cast<int>(used))));
    octets_ += octets.size();
    if (octets_ - body_octets_ > HttpReader::most_other_octets) fail(fmt::format("more than {} MiB beside the body", HttpReader::most_other_octets >> 20));
    return state_;
}

Http2Reader::State Http2Reader::on_end() {
    return fail(has_status_ ? "the connection was closed before the body was complete" : "the connection was closed without an answer");
}

int Http2Reader::on_frame(bool is_promise) {
    if (!std::exchange(has_body_in_frame_, false)) ++idle_frames_;   // the frame before this one
    if (is_promise) fail("the server promises an answer that nobody asked for");
    else if (idle_frames_ > most_idle_frames) fail(fmt::format("more than {} frames without a part of the body", most_idle_frames));
    else return 0;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

int Http2Reader::on_header(std::string_view name, std::string_view value) {
    constexpr std::size_t overhead = 32;   // RFC 9113 §6.5.2
    header_octets_ += name.size() + value.size() + overhead;
    if (header_octets_ > HttpReader::most_header_octets) {
        fail(fmt::format("the header has more than {} KiB", HttpReader::most_header_octets >> 10));
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (name != ":status" || has_status_) return 0;
    unsigned code = 0;
    std::from_chars(value.data(), value.data() + value.size(), code);   // three digits: nghttp2 has seen to it
    if (code < 200) {
        if (++interim_answers_ <= HttpReader::most_interim_answers) return 0;
        fail(fmt::format("more than {} interim answers", HttpReader::most_interim_answers));
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    has_status_ = true;
    listener_.on_status(code);
    return 0;
}

void Http2Reader::on_stream_end(std::uint32_t error_code) {
    if (state_ != State::reading) return;
    if (error_code != NGHTTP2_NO_ERROR || !has_status_) {
        fail(fmt::format("the server gave up: {}", ::nghttp2_http2_strerror(error_code)));
        return;
    }
    listener_.on_end();
    state_ = State::complete;
}

}  // namespace vigil::checkers
