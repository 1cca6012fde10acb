#include "ipvs/checkers/check.h"

#include "ipvs/checkers/connection.h"
#include "ipvs/checkers/http_check.h"

namespace vigil::checkers {
namespace {

struct Dispatch {
    CheckRun& run;
    Resources& resources;
    ScriptTable& scripts;
    const CommonSpec& common;

    asio::awaitable<Verdict> operator()(const TcpSpec&) const { return check_tcp(run, common); }
    asio::awaitable<Verdict> operator()(const HttpSpec& http) const { return check_http(run, resources, common, http); }
    asio::awaitable<Verdict> operator()(const SmtpSpec& smtp) const { return check_smtp(run, common, smtp); }
    asio::awaitable<Verdict> operator()(const DnsSpec& dns) const { return check_dns(run, resources, common, dns); }
    asio::awaitable<Verdict> operator()(const UdpSpec& udp) const { return check_udp(run, common, udp); }
    asio::awaitable<Verdict> operator()(const PingSpec&) const { return check_ping(run, resources, common); }
    asio::awaitable<Verdict> operator()(const MiscSpec& misc) const { return check_misc(run, scripts, misc); }
    asio::awaitable<Verdict> operator()(const ExternalSpec&) const { co_return undecided("nothing to run"); }
};

}  // namespace

asio::awaitable<Verdict> check(CheckRunPtr run, Resources& resources, ScriptTable& scripts, std::shared_ptr<const CheckSpec> spec) {
    const Dispatch dispatch{*run, resources, scripts, spec->common};
    Verdict verdict = co_await std::visit(dispatch, spec->method);
    run->finish();
    verdict.duration = run->duration();
    co_return verdict;
}

asio::awaitable<Verdict> check_tcp(CheckRun& run, const CommonSpec& common) {
    tcp::socket socket(run.executor());
    CloserGuard guard(run);
    run.begin(common.connect_timeout);
    auto verdict = co_await connect(run, common, socket);
    if (verdict) co_return std::move(*verdict);
    co_return Verdict{};
}

}  // namespace vigil::checkers
