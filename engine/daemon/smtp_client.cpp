// A mail server may be slow, silent, hostile or not there at all, and often it is unreachable just when a router fails over. So each step has a deadline
// that what the server sends does not move, the session as a whole has one, and what is read is looked at by SmtpDialogue, which is bounded. Nothing else
// depends on any of it.

#include "engine/daemon/smtp_client.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>

namespace vigil::daemon {

using boost::asio::ip::tcp;
using boost::system::error_code;

SmtpClient::SmtpClient(boost::asio::io_context& io, SmtpServer server, OnVerdict on_verdict, std::function<void()> on_idle)
    : io_(io), server_(std::move(server)), on_verdict_(std::move(on_verdict)), on_idle_(std::move(on_idle)), lookup_(io), deadline_(io) {}

SmtpClient::~SmtpClient() { *session_alive_ = false; }

void SmtpClient::send(Mail mail) {
    session_alive_ = std::make_shared<bool>(true);
    dialogue_.emplace(server_.helo_name, std::move(mail));
    session_end_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(server_.timeout * most_timeouts);
    endpoints_.clear();
    next_endpoint_ = 0;
    last_error_.clear();
    set_deadline([this] { end_session("its name could not be looked up in time"); });
    lookup_.start(server_.host, server_.port, guarded([this](HostLookup::Endpoints found, std::string error) {
        if (found.empty()) return end_session("its name was not found: " + error);
        found.resize(std::min<std::size_t>(found.size(), most_addresses));
        endpoints_ = std::move(found);
        connect_next();
    }));
}

void SmtpClient::connect_next() {
    if (next_endpoint_ == endpoints_.size()) return end_session(last_error_);
    const Endpoint endpoint = endpoints_[next_endpoint_++];
    socket_.emplace(io_);
    set_deadline([this] {
        last_error_ = "it did not take the connection in time";
        connect_next();   // what comes of the old socket is nobody's any more
    });
    socket_->async_connect(endpoint, guarded([this, attempt = next_endpoint_](const error_code& error) {
        if (attempt != next_endpoint_) return;
        if (!error) {
            set_deadline([this] { end_session("it did not answer in time"); });
            return read();
        }
        last_error_ = error.message();
        connect_next();
    }));
}

/// The deadline of the session is also one of each step. It replaces the one before.
void SmtpClient::set_deadline(std::function<void()> too_late) {
    const auto step_end = Clock::now() + std::chrono::duration_cast<Clock::duration>(server_.timeout);
    deadline_.expires_at(std::min(step_end, session_end_));
    deadline_.async_wait(guarded([too_late](const error_code& error) {
        if (!error) too_late();
    }));
}

void SmtpClient::read() {
    socket_->async_read_some(boost::asio::buffer(input_), guarded([this](const error_code& error, std::size_t size) {
        if (error) return end_session(error == boost::asio::error::eof ? "it closed the connection" : error.message());
        on_octets(size);
    }));
}

void SmtpClient::on_octets(std::size_t size) {
    const auto alive = session_alive_;   // another session may have begun behind this one
    dialogue_->on_octets(std::string_view(input_.data(), size));
    go_on();
    if (*alive) read();
}

/// After anything that the dialogue was told.
void SmtpClient::go_on() {
    std::optional<Mail> next;
    if (const auto verdict = dialogue_->take_verdict()) {
        next = on_verdict_(*verdict);
        if (!dialogue_->is_over()) {
            if (next) dialogue_->begin(*std::exchange(next, std::nullopt));
            else dialogue_->quit();
        }
    }
    if (dialogue_->is_over()) return end_session("", std::move(next));
    output_ += dialogue_->take_output();
    if (output_.empty() || is_writing_) return;
    set_deadline([this] { end_session("it did not answer in time"); });
    write();
}

void SmtpClient::write() {
    is_writing_ = true;
    auto text = std::make_shared<std::string>(std::exchange(output_, {}));   // outlives a session that ends meanwhile
    boost::asio::async_write(*socket_, boost::asio::buffer(*text), guarded([this, text](const error_code& error, std::size_t) {
        is_writing_ = false;
        if (error) return end_session(error.message());
        if (!output_.empty()) write();
    }));
}

void SmtpClient::end_session(std::string_view why, std::optional<Mail> next) {
    lookup_.abandon();
    *session_alive_ = false;
    deadline_.cancel();
    if (socket_) {
        error_code ignored;
        socket_->close(ignored);
    }
    is_writing_ = false;
    output_.clear();
    SmtpDialogue ended = std::move(*dialogue_);
    dialogue_.reset();
    ended.on_end(why);
    if (const auto verdict = ended.take_verdict()) next = on_verdict_(*verdict);
    if (next) send(std::move(*next));
    else on_idle_();
}

}  // namespace vigil::daemon
