#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/model.h"
#include "engine/daemon/mail_queue.h"
#include "engine/daemon/router_status.h"
#include "engine/daemon/smtp_client.h"

namespace vigil::daemon {

/// smtp_alert: changes of state become mails. Outlives a configuration, with what is not sent yet. Control thread; never waits.
class Mailer {
public:
    /// `about`: what changes, for the subject of a mail about many changes.
    explicit Mailer(boost::asio::io_context& io, std::string_view about = "VRRP") : io_(io), timer_(io), queue_(MailQueue::Limits{}, about) {}
    ~Mailer() { *alive_ = false; }
    Mailer(const Mailer&) = delete;
    Mailer& operator=(const Mailer&) = delete;

    void configure(const config::GlobalDefinitions& global);
    /// A router (kind "Instance") or a group ("Group") entered a state. A mail when it is not the state mailed last. `details` becomes the body's first lines;
    /// it is asked for only when there will be a mail about it alone.
    void on_state(std::string_view kind, std::string_view name, OperatorState state, const std::function<std::string()>& details);
    /// A real or a virtual server went up or down. `text` is the subject without the router_id: "Realserver A of virtual server B - UP".
    void on_server(const std::string& text, bool is_up, const std::function<std::string()>& details);
    /// Nothing more will come: what waits is sent at once.
    void finish();
    /// Nothing is waiting or under way, or nothing can be sent at the end any more.
    bool is_idle() const;
    std::size_t unsent_count() const;

private:
    void add(const std::string& text, std::size_t order, std::string_view state, const std::function<std::string()>& details);
    Mail compose(const MailDraft& draft);
    std::optional<Mail> take_next();
    std::optional<Mail> on_verdict(const MailVerdict& verdict);
    void pump();
    void wake_at(Instant instant);

    boost::asio::io_context& io_;
    boost::asio::steady_timer timer_;
    MailQueue queue_;
    std::unique_ptr<SmtpClient> client_;      // none: there are no mails
    std::string router_id_;
    std::string from_;
    std::vector<std::string> to_;
    bool tells_faults_ = true;
    std::unordered_map<std::string, OperatorState> mailed_;   // by kind and name
    std::optional<MailDraft> under_way_;
    unsigned attempts_ = 0;                   // of it
    Instant not_before_{};                    // after a failure
    std::uint64_t sent_ = 0;                  // for Message-ID
    bool is_finishing_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vigil::daemon
