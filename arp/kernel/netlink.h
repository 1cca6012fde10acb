#pragma once

#include "netlink/kernel_error.h"
#include "netlink/message.h"
#include "netlink/request_batch.h"
#include "netlink/socket.h"

/// This layer's requests, answers and errors are netlink's: its words are said here without a prefix.
namespace vigil::arp::kernel {
using namespace netlink;
}
