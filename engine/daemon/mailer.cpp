// From a change of state to a mail that a server took.
//
// One mail is under way at a time. A server that cannot be reached is the rule rather than the exception when a router fails over, so a mail that failed
// is tried again, up to `most_attempts` times at growing distance, and the others wait behind it. What that keeps is bounded by MailQueue. (keepalived
// drops a mail whose server does not answer.)

#include "engine/daemon/mailer.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <limits>

#include <spdlog/spdlog.h>

#include "engine/daemon/mail_text.h"
#include "engine/daemon/presentable.h"
#include "engine/io/clock.h"

namespace vigil::daemon {
namespace {

constexpr std::array<std::chrono::seconds, 3> retry_delays{std::chrono::seconds{10}, std::chrono::seconds{60}, std::chrono::seconds{300}};
constexpr unsigned most_attempts = retry_delays.size() + 1;

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
    return name.data();
}

std::string or_else(std::string_view text, const std::string& otherwise) { return text.empty() ? otherwise : std::string(text); }

}  // namespace

void Mailer::configure(const config::GlobalDefinitions& global) {
    const std::string host = host_name();
    router_id_ = or_else(global.router_id, host);
    from_ = or_else(global.notification_email_from, "root@" + host);
    to_.assign(global.notification_email.begin(), global.notification_email.end());
    tells_faults_ = !global.no_email_faults;
    if (global.smtp_server.empty() || to_.empty()) {
        client_.reset();
        under_way_.reset();
        return;
    }
    SmtpServer server{std::string(global.smtp_server), global.smtp_port, global.smtp_connect_timeout, or_else(global.smtp_helo_name, host)};
    if (client_ && client_->server() == server) return;
    if (under_way_) queue_.put_back(*std::exchange(under_way_, std::nullopt));
    client_ = std::make_unique<SmtpClient>(io_, std::move(server), [this](const MailVerdict& verdict) { return on_verdict(verdict); },
                                           [this] { pump(); });
    attempts_ = 0;
    not_before_ = {};
    pump();
}

void Mailer::on_state(std::string_view kind, std::string_view name, OperatorState state, const std::function<std::string()>& details) {
    if (!client_ || (state == OperatorState::fault && !tells_faults_)) return;
    OperatorState& mailed = mailed_.try_emplace(fmt::format("{} {}", kind, name), OperatorState::init).first->second;
    if (std::exchange(mailed, state) == state) return;
    add(alert_text(kind, name, state), static_cast<std::size_t>(state), to_string(state), details);
}

void Mailer::on_server(const std::string& text, bool is_up, const std::function<std::string()>& details) {
    if (client_) add(presentable(text), is_up ? 0 : 1, is_up ? "UP" : "DOWN", details);
}

void Mailer::add(const std::string& text, std::size_t order, std::string_view state, const std::function<std::string()>& details) {
    const std::int64_t wall = std::time(nullptr);
    const auto body = [&] { return fmt::format("{}\n\n{}Host: {}\nTime: {}\n", text, details(), host_name(), mail_date(wall)); };
    queue_.add(text, order, state, body, io::clock::now(), wall);
    pump();
}

void Mailer::finish() {
    is_finishing_ = true;
    queue_.finish();
    not_before_ = {};
    attempts_ = 0;
    pump();
}

bool Mailer::is_idle() const {
    if (!client_) return true;
    const bool has_failed = is_finishing_ && attempts_ > 0 && client_->is_idle();
    return has_failed || (!under_way_ && queue_.is_empty() && client_->is_idle());
}

std::size_t Mailer::unsent_count() const { return client_ ? queue_.count() + (under_way_ ? 1 : 0) : 0; }

Mail Mailer::compose(const MailDraft& draft) {
    const MailHead head{from_, to_, subject_of(router_id_, draft.text), draft.wall_seconds, draft.id, client_->server().helo_name};
    return {from_, to_, compose_mail(head, draft.body)};
}

/// Takes the next mail and makes it the one under way.
std::optional<Mail> Mailer::take_next() {
    if (!under_way_) {
        under_way_ = queue_.take(io::clock::now());
        attempts_ = 0;
    }
    if (!under_way_) return std::nullopt;
    if (under_way_->id.empty()) under_way_->id = fmt::format("{}.{}.{}", under_way_->wall_seconds, ::getpid(), ++sent_);
    return compose(*under_way_);
}

void Mailer::pump() {
    if (!client_ || !client_->is_idle() || (is_finishing_ && attempts_ > 0)) return;
    const Instant due = under_way_ ? not_before_ : std::max(queue_.next_due(), not_before_);
    if (due > io::clock::now()) return wake_at(due);
    if (auto mail = take_next()) client_->send(std::move(*mail));
}

std::optional<Mail> Mailer::on_verdict(const MailVerdict& verdict) {
    const std::string what = fmt::format("Mail '{}' to {} port {}", under_way_->text, client_->server().host, client_->server().port);
    if (verdict.kind == MailVerdict::Kind::failed && ++attempts_ < most_attempts) {
        const auto delay = retry_delays[attempts_ - 1];
        not_before_ = io::clock::now() + delay;
        spdlog::warn("{} was not sent: {}{}", what, verdict.text, is_finishing_ ? "" : fmt::format("; trying again in {} s", delay.count()));
        return std::nullopt;   // pump() follows when the session has ended
    }
    if (verdict.kind != MailVerdict::Kind::taken) spdlog::error("{} was not sent, and is given up: {}", what, verdict.text);
    else if (!verdict.text.empty()) spdlog::warn("{}: {}", what, verdict.text);
    else spdlog::info("{} was sent", what);
    under_way_.reset();
    return take_next();
}

void Mailer::wake_at(Instant instant) {
    if (instant == Instant{std::numeric_limits<std::int64_t>::max()}) return;
    const Nanoseconds delay = std::max(instant - io::clock::now(), Nanoseconds{0});
    timer_.expires_after(std::chrono::duration_cast<std::chrono::steady_clock::duration>(delay));
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (*alive && !error) pump();
    });
}

}  // namespace vigil::daemon
