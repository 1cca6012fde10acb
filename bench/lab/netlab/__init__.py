"""A LAN of network namespaces with VRRP routers on it, and what can be seen there from outside.

Used by bench/lab/failover (the demonstration) and tests/netns (interoperability tests). Standard library only.

  sandbox    a process and mount namespace around everything: nothing outlives the command
  netns      one network namespace, held by a file descriptor
  netlink    addresses and links, asked from the kernel
  lan        switch, routers and client, wired together
  router     what a virtual router is told to be, in no daemon's language
  daemon     a daemon on a router: start, stop, kill -9, what it leaves behind
  keepalived, vigild, frr    the kinds of daemon
  wire       advertisements heard and ARP questions asked on the LAN
  observer   who holds which address, and when that changed
  capture    a pcap file of what crosses the switch
  configuration    what a LAN must look like for a given keepalived.conf
  pinger     a client that pings throughout
"""
