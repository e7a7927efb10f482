/* Wrappers for what Glibc's Swift module hides: epoll, eventfd, signalfd, accept4, prctl, TCP_INFO. They translate,
 * they decide nothing. */
#pragma once
