internal import AsyncHTTPClient
internal import NIOCore
internal import NIOSSL
