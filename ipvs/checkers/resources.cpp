#include "ipvs/checkers/resources.h"

#include <openssl/ssl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace vigil::checkers {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

using Failure = std::optional<std::string>;

/// OpenSSL's errors do not say that a file is not there.
Failure cannot_read(const std::string& file, const error_code& error) {
    const bool is_unreadable = file.starts_with('/') && ::access(file.c_str(), R_OK) != 0;
    return fmt::format("cannot use {}: {}", file, is_unreadable ? std::strerror(errno) : error.message());
}

Failure load_own_certificate(ssl::context& context, const TlsSpec& spec) {
    if (spec.certificate_file.empty()) return std::nullopt;
    const std::string& key_file = spec.key_file.empty() ? spec.certificate_file : spec.key_file;
    error_code error;
    // Always answered: OpenSSL would ask at the terminal.
    context.set_password_callback([password = spec.key_password](std::size_t, ssl::context::password_purpose) { return password; }, error);
    context.use_certificate_chain_file(spec.certificate_file, error);
    if (error) return cannot_read(spec.certificate_file, error);
    context.use_private_key_file(key_file, ssl::context::pem, error);
    if (error) return cannot_read(key_file, error);
    return std::nullopt;
}

Failure load_authorities(ssl::context& context, const TlsSpec& spec) {
    error_code error;
    if (!spec.verify) {
        context.set_verify_mode(ssl::verify_none, error);
        return std::nullopt;
    }
    context.set_verify_mode(ssl::verify_peer, error);
    if (spec.ca_file.empty()) context.set_default_verify_paths(error);
    else context.load_verify_file(spec.ca_file, error);
    if (error) return cannot_read(spec.ca_file.empty() ? "the system's certificate authorities" : spec.ca_file, error);
    return std::nullopt;
}

}  // namespace

tl::expected<std::shared_ptr<const Regex>, std::string> Resources::regex(const RegexSpec& spec) {
    std::shared_ptr<const Regex>& known = regexes_[{spec.pattern, spec.options, spec.extra_options, spec.max_offset.has_value()}];
    if (known) return known;
    auto regex = Regex::compile(spec);
    if (regex) known = *regex;
    return regex;
}

tl::expected<TlsContext, std::string> Resources::tls(const TlsSpec& spec, bool http_2) {
    const std::tuple key{http_2, spec.verify, spec.verify ? spec.ca_file : std::string(), spec.certificate_file, spec.key_file, spec.key_password};
    if (const auto known = tls_.find(key); known != tls_.end()) return known->second;
    const auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
    ::SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);
    // Servers that close without close_notify are many, and an HTTP answer says itself when it is complete.
    ::SSL_CTX_set_options(context->native_handle(), SSL_OP_IGNORE_UNEXPECTED_EOF);
    ::SSL_CTX_set_session_cache_mode(context->native_handle(), SSL_SESS_CACHE_OFF);
    constexpr unsigned char only_http_2[] = {2, 'h', '2'};
    if (http_2) ::SSL_CTX_set_alpn_protos(context->native_handle(), only_http_2, sizeof only_http_2);
    if (const Failure failure = load_own_certificate(*context, spec)) return tl::unexpected(*failure);
    if (const Failure failure = load_authorities(*context, spec)) return tl::unexpected(*failure);
    return tls_[key] = context;
}

void Resources::forget() {
    regexes_.clear();
    tls_.clear();
}

}  // namespace vigil::checkers
