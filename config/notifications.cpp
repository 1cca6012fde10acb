/// Mail and FIFOs in global_defs. What is written here goes out to programs that others wrote: a mail relay, whoever reads the pipe. So an
/// address that cannot stand in an SMTP command is refused here, with its place in the file, and not when a router fails over.

#include <algorithm>

#include "config/interpreter.h"
#include "config/values.h"

namespace vigil::config {

namespace {

constexpr std::size_t longest_address = 254;   // RFC 5321 §4.5.3.1.3, without the angle brackets

/// Printable ASCII, and nothing that would end the command or the path that the address stands in (RFC 5321 §4.1.2). No look at the domain: a
/// relay on this host may take any word.
bool is_mail_address(std::string_view text) {
    const auto is_plain = [](char c) { return c > ' ' && c < '\x7f' && c != '<' && c != '>' && c != ',' && c != ';'; };
    return !text.empty() && text.size() <= longest_address && std::all_of(text.begin(), text.end(), is_plain);
}

std::string_view without_brackets(std::string_view text) {
    return text.size() > 2 && text.front() == '<' && text.back() == '>' ? text.substr(1, text.size() - 2) : text;
}

bool check_mail_address(Context& context, const Node& node, std::string_view written) {
    if (is_mail_address(without_brackets(written))) return true;
    context.reporter.error(node.line(), written, "this is no mail address that an SMTP server would take: it is ignored", "write name@domain");
    return false;
}

void check_reader(Context& context, NotifyFifo& fifo, std::string_view keyword) {
    if (fifo.reader.command.empty() || !fifo.path.empty()) return;
    context.reporter.report_at(Severity::error, fifo.reader.where, "'" + std::string(keyword) + "_script' has no FIFO to read: it is not started",
                               "write " + std::string(keyword) + " /path/of/the/fifo");
    fifo.reader = {};
}

}  // namespace

void read_smtp_server(Context& context, GlobalDefinitions& global, const Node& node) {
    global.smtp_server = context.texts.intern(node.word(1));
    global.smtp_port = 25;
    if (node.word_count() < 3) return;
    const auto port = read_number(node.word(2));
    if (port && !port->has_trailing && port->value > 0 && port->value < 65'536) global.smtp_port = static_cast<std::uint16_t>(port->value);
    else context.reporter.error(node.line(), node.word(2), "'smtp_server' expects a port from 1 to 65535: port 25 is used");
}

void read_emails(Context& context, GlobalDefinitions& global, const Node& block) {
    bool has_words = false;
    block.for_each_child([&](const Node& item) {
        if (item.statement().is_deaf) return;
        for (const Word& word : item.words()) {
            has_words = true;
            if (check_mail_address(context, item, word.view())) global.notification_email.push_back(context.texts.intern(without_brackets(word.view())));
        }
    });
    if (has_words) return;
    context.reporter.warning(block.line(), block.word(0), "'notification_email' is empty", "write one address on each line of the block");
}

void read_email_from(Context& context, GlobalDefinitions& global, const Node& node) {
    if (!check_mail_address(context, node, node.word(1))) return;
    global.notification_email_from = context.texts.intern(without_brackets(node.word(1)));
}

void read_helo_name(Context& context, GlobalDefinitions& global, const Node& node) {
    if (is_mail_address(node.word(1))) global.smtp_helo_name = context.texts.intern(node.word(1));
    else context.reporter.error(node.line(), node.word(1), "'smtp_helo_name' expects a host name: this host's own is used");
}

void read_fifo(Context& context, NotifyFifo& fifo, const Node& node) {
    const std::string_view path = node.word(1);
    if (!path.starts_with('/')) {
        context.reporter.error(node.line(), path, "'" + std::string(node.word(0)) + "' expects an absolute path: there is no such FIFO",
                               "a daemon has no directory of its own: write /run/NAME");
        return;
    }
    const std::string_view group = node.word(3);
    fifo.path = context.texts.intern(path);
    fifo.user = context.texts.intern(node.word(2));
    fifo.group = context.texts.intern(group.substr(group.starts_with(':') ? 1 : 0));
    fifo.where = node.where(1);
}

void validate_notifications(Context& context) {
    GlobalDefinitions& global = context.configuration.global;
    if (!global.vrrp_notify_fifo.path.empty() && global.vrrp_notify_fifo.path == global.notify_fifo.path) {
        context.reporter.report_at(Severity::error, global.vrrp_notify_fifo.where, "'notify_fifo' is the same FIFO: this one is ignored",
                                   "every line about VRRP comes through notify_fifo too");
        global.vrrp_notify_fifo = {};
    }
    const auto& instances = context.configuration.instances;
    const auto mails = std::find_if(instances.begin(), instances.end(), [](const VrrpInstance& one) { return one.smtp_alert; });
    const bool can_mail = !global.smtp_server.empty() && !global.notification_email.empty();
    if (mails != instances.end() && !can_mail) {
        context.reporter.report_at(Severity::note, mails->where, "'smtp_alert' sends no mail, because there is no " +
                                   std::string(global.smtp_server.empty() ? "smtp_server" : "notification_email"),
                                   "write it in global_defs, or leave smtp_alert out");
    }
    check_reader(context, global.notify_fifo, "notify_fifo");
    check_reader(context, global.vrrp_notify_fifo, "vrrp_notify_fifo");
}

}  // namespace vigil::config
