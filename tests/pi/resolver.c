// A resolver for the emulated Pi: on 127.0.0.1 it answers each question with 10.0.2.2, which is what an
// emulated machine calls the loopback of the one that it runs on; of IPv6 it knows no address.

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define HEADER_LEN 12
#define ADDRESS 1 // the type of an IPv4 address

// The header's flags: a response, recursion available, no error.
static const unsigned char flags[] = {0x81, 0x80};
// The name of the question, type and class of an address, a minute, four bytes.
static const unsigned char answer[] = {0xc0, HEADER_LEN, 0, ADDRESS, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 2, 2};

int main(void)
{
	struct sockaddr_in from, here = {.sin_family = AF_INET, .sin_port = htons(53)};
	unsigned char packet[512 + sizeof answer];

	inet_aton("127.0.0.1", &here.sin_addr);
	int server = socket(AF_INET, SOCK_DGRAM, 0);
	if (bind(server, (struct sockaddr *)&here, sizeof here)) {
		perror("resolver");
		return 1;
	}
	for (;;) {
		socklen_t from_len = sizeof from;
		ssize_t len = recvfrom(server, packet, 512, 0, (struct sockaddr *)&from, &from_len);
		ssize_t end = HEADER_LEN;
		while (end < len && packet[end])
			end += packet[end] + 1;
		end += 5; // the root's empty label, type and class
		if (end > len)
			continue;
		int is_address = packet[end - 3] == ADDRESS;
		memcpy(packet + 2, flags, sizeof flags);
		memset(packet + 6, 0, 6); // what stands behind the question is not repeated
		packet[7] = is_address;
		memcpy(packet + end, answer, sizeof answer);
		end += is_address ? sizeof answer : 0;
		sendto(server, packet, end, 0, (struct sockaddr *)&from, from_len);
	}
}
