/// Passwords and keys in files that every user of the host can read. One word for each file: whoever reads it can be told once.
///
/// The password of VRRP version 2 stands in every advert (RFC 3768 has dropped it for that reason), and the usual file with one is readable by all: that is worth a
/// note. A key of auth_hmac never leaves the host, so a readable one is a mistake.

#include <algorithm>

#include "config/interpreter.h"

namespace vigil::config {

void note_secret(Context& context, const Node& node, SecretKind kind) {
    std::vector<Secret>& secrets = context.global_draft.secrets;
    const SourceLocation where = node.where();
    const auto known = std::find_if(secrets.begin(), secrets.end(), [&](const Secret& one) { return one.where.file == where.file; });
    if (known == secrets.end()) secrets.push_back({kind, where});
    else if (kind > known->kind) *known = {kind, where};
}

void validate_secrets(Context& context) {
    const FileSystem& files = context.options.file_system != nullptr ? *context.options.file_system : host_file_system();
    for (const Secret& secret : context.global_draft.secrets) {
        const std::string& name = context.reporter.file_name(secret.where.file);
        if (!files.is_readable_by_all(name)) continue;
        const bool is_key = secret.kind == SecretKind::key;
        context.reporter.report_at(is_key ? Severity::warning : Severity::note, secret.where,
                                   is_key ? "every user of this host can read this key" : "every user of this host can read this password, as everybody on the LAN can",
                                   "chmod o-r " + name);
    }
}

}  // namespace vigil::config
