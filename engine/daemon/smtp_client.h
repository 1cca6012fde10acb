#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engine/daemon/host_lookup.h"
#include "engine/daemon/smtp_dialogue.h"
#include "packet/units.h"

namespace vigil::daemon {

struct SmtpServer {
    std::string host;                ///< a name or an address
    std::uint16_t port = 25;
    Nanoseconds timeout{0};          ///< for each of: the name, a connection, a reply
    std::string helo_name;

    friend bool operator==(const SmtpServer&, const SmtpServer&) = default;
};

/// Sends mails to one server, through one connection at a time, and never waits: everything is a callback of the io_context.
class SmtpClient {
public:
    static constexpr int most_addresses = 4;   ///< of the server that are tried
    static constexpr int most_timeouts = 10;   ///< a session lasts at most as many times the timeout

    /// Called with the verdict about a mail. Returns the next one; nothing: the session ends.
    using OnVerdict = std::function<std::optional<Mail>(const MailVerdict&)>;

    /// Both are called from the io_context. `on_idle`: a session has ended, and there is no next mail.
    SmtpClient(boost::asio::io_context& io, SmtpServer server, OnVerdict on_verdict, std::function<void()> on_idle);
    ~SmtpClient();
    SmtpClient(const SmtpClient&) = delete;
    SmtpClient& operator=(const SmtpClient&) = delete;

    /// Opens a session for it. Only while is_idle().
    void send(Mail mail);
    bool is_idle() const { return !dialogue_; }
    const SmtpServer& server() const { return server_; }

private:
    using Endpoint = boost::asio::ip::tcp::endpoint;
    using Clock = std::chrono::steady_clock;

    void connect_next();
    void read();
    void on_octets(std::size_t size);
    void go_on();
    void write();
    void end_session(std::string_view why, std::optional<Mail> next = std::nullopt);
    void set_deadline(std::function<void()> too_late);
    /// A callback for the session under way: not called once it is over, or we are gone.
    template <class Function>
    auto guarded(Function function) {
        return [function, alive = session_alive_](auto... arguments) {
            if (*alive) function(arguments...);
        };
    }

    boost::asio::io_context& io_;
    SmtpServer server_;
    OnVerdict on_verdict_;
    std::function<void()> on_idle_;
    HostLookup lookup_;
    std::optional<SmtpDialogue> dialogue_;      // while there is a session
    std::optional<boost::asio::ip::tcp::socket> socket_;
    boost::asio::steady_timer deadline_;
    Clock::time_point session_end_{};
    HostLookup::Endpoints endpoints_;
    std::size_t next_endpoint_ = 0;
    std::string last_error_;
    std::array<char, 4096> input_{};
    std::string output_;
    bool is_writing_ = false;
    std::shared_ptr<bool> session_alive_ = std::make_shared<bool>(false);
};

}  // namespace vigil::daemon
