// Boost.Asio's own resolver would do the same in a thread of its own, but its destructor joins that thread: with name servers that do not answer, a daemon
// that is told to stop would hang for as long as getaddrinfo() tries.

#include "engine/daemon/host_lookup.h"

#include <netdb.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>

#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>

namespace vigil::daemon {
namespace {

using boost::asio::ip::tcp;

HostLookup::Endpoints endpoints_of(const addrinfo* first, std::uint16_t port) {
    HostLookup::Endpoints found;
    for (const addrinfo* one = first; one != nullptr; one = one->ai_next) {
        tcp::endpoint endpoint;
        if (one->ai_addrlen > endpoint.capacity()) continue;
        std::memcpy(endpoint.data(), one->ai_addr, one->ai_addrlen);
        endpoint.resize(one->ai_addrlen);
        endpoint.port(port);
        found.push_back(endpoint);
    }
    return found;
}

}  // namespace

/// What the thread and we hold together. The thread posts under the lock, so that the io_context is still there.
struct HostLookup::Shared {
    std::mutex mutex;
    boost::asio::io_context* io = nullptr;   // none: nobody wants to know any more
    Done done;
    bool has_ended = false;
};

void HostLookup::start(const std::string& host, std::uint16_t port, Done done) {
    const auto answer_later = [&](Endpoints endpoints, std::string error) {
        wanted_ = std::make_shared<bool>(true);
        boost::asio::post(io_, [wanted = wanted_, done, endpoints = std::move(endpoints), error = std::move(error)] {
            if (*wanted) done(endpoints, error);
        });
    };
    abandon();
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(host, error);
    if (!error) return answer_later({tcp::endpoint(address, port)}, "");
    if (shared_) {
        const std::lock_guard lock(shared_->mutex);
        if (!shared_->has_ended) return answer_later({}, "an earlier lookup of it still has no answer");
    }
    shared_ = std::make_shared<Shared>();
    shared_->io = &io_;
    wanted_ = std::make_shared<bool>(true);
    shared_->done = [wanted = wanted_, done](Endpoints endpoints, std::string why) {
        if (*wanted) done(std::move(endpoints), std::move(why));
    };
    const auto look_up = [shared = shared_, host, port] {
        addrinfo hints{};
        hints.ai_socktype = SOCK_STREAM;
        hints.ai_flags = AI_ADDRCONFIG;
        addrinfo* found = nullptr;
        const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
        Endpoints endpoints = code == 0 ? endpoints_of(found, port) : Endpoints{};
        if (found != nullptr) ::freeaddrinfo(found);
        const std::lock_guard lock(shared->mutex);
        shared->has_ended = true;
        if (shared->io == nullptr) return;
        boost::asio::post(*shared->io, [done = shared->done, endpoints = std::move(endpoints), code] { done(endpoints, code == 0 ? "" : ::gai_strerror(code)); });
    };
    try {
        std::thread(look_up).detach();
    } catch (const std::system_error& problem) {
        shared_.reset();
        answer_later({}, problem.what());
    }
}

void HostLookup::abandon() {
    if (wanted_) *wanted_ = false;
    if (!shared_) return;
    const std::lock_guard lock(shared_->mutex);
    shared_->io = nullptr;
}

}  // namespace vigil::daemon
