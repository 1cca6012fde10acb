#pragma once

#include "arp/netlink/kernel_error.h"
#include "arp/netlink/message.h"
#include "arp/netlink/request_batch.h"
#include "arp/netlink/socket.h"

/// This layer's requests, answers and errors are netlink's: its words are said here without a prefix.
namespace vigil::arp::kernel {
using namespace netlink;
}
