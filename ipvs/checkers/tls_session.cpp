#include "ipvs/checkers/tls_session.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <fmt/format.h>

namespace vigil::checkers {
namespace {

/// The host of a Host field: without port and brackets.
std::string host_of(const std::string& host_field) {
    if (host_field.starts_with('[')) return host_field.substr(1, host_field.find(']') - 1);
    return host_field.substr(0, host_field.find(':'));
}

Verdict verdict_of_handshake(const CheckRun& run, TlsStream& stream, const error_code& error) {
    if (run.has_timed_out()) return too_late(fmt::format("no TLS handshake within {}", run.limit_text()));
    // Also of a certificate that nobody asked to be verified there is a result.
    const bool is_verified = (::SSL_get_verify_mode(stream.native_handle()) & SSL_VERIFY_PEER) != 0;
    const long found = ::SSL_get_verify_result(stream.native_handle());
    if (is_verified && found != X509_V_OK) return failed(fmt::format("certificate not accepted: {}", ::X509_verify_cert_error_string(found)));
    if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) return failed("TLS handshake failed: the connection was closed");
    return failed(fmt::format("TLS handshake failed: {}", error.message()));
}

}  // namespace

void expect_server(TlsStream& stream, const TlsSpec& tls, const CommonSpec& common, const UrlSpec& url) {
    const std::string name = tls.name.empty() ? host_of(url.virtual_host) : tls.name;
    const bool is_name = !name.empty() && !read_address(name);
    // A certificate can be verified only if the server knows which one we want. RFC 6066 §3 allows names only.
    if ((tls.send_name || tls.verify) && is_name) SSL_set_tlsext_host_name(stream.native_handle(), name.c_str());
    if (!tls.verify) return;
    X509_VERIFY_PARAM* const wanted = ::SSL_get0_param(stream.native_handle());
    if (is_name) ::X509_VERIFY_PARAM_set1_host(wanted, name.c_str(), name.size());
    else ::X509_VERIFY_PARAM_set1_ip_asc(wanted, (name.empty() ? to_string(common.address) : name).c_str());
}

asio::awaitable<std::optional<Verdict>> shake_hands(CheckRun& run, TlsStream& stream, const CommonSpec& common, bool http_2) {
    error_code error;
    run.begin_step(common.connect_timeout);
    co_await stream.async_handshake(TlsStream::client, into(error));
    if (run.has_ended()) error = asio::error::operation_aborted;
    if (error) co_return verdict_of_handshake(run, stream, error);
    if (!http_2) co_return std::nullopt;
    const unsigned char* protocol = nullptr;
    unsigned length = 0;
    ::SSL_get0_alpn_selected(stream.native_handle(), &protocol, &length);
    if (std::string_view(reinterpret_cast<const char*>(protocol), length) != "h2") co_return failed("the server does not offer HTTP/2");
    co_return std::nullopt;
}

asio::awaitable<void> end_tls(CheckRun& run, TlsStream& stream, const CommonSpec& common) {
    error_code ignored;
    run.begin_step(common.connect_timeout);
    co_await stream.async_shutdown(into(ignored));
}

}  // namespace vigil::checkers
