using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Godwit.Server;

/// <summary>The sockets, and what a client may ask of them.</summary>
internal static class Listener
{
    /// <summary>The most bytes that the body of a request may have: a CREATE TABLE of a table with ten thousand columns fits.</summary>
    public const int LargestBody = 1 << 20;

    public static void Configure(IWebHostBuilder host, ServeOptions options) => host.UseKestrel(kestrel =>
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = LargestBody;
        kestrel.Limits.MaxRequestHeadersTotalSize = 32 << 10;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        kestrel.Limits.MaxConcurrentConnections = 2000;
        kestrel.Listen(options.Listen, listen =>
        {
            if (options.CertificateFile is { } file)
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(Certificate(file, options.KeyFile));
            }
        });
    }).UseKestrelHttpsConfiguration();

    private static X509Certificate2 Certificate(string file, string? key)
    {
        try
        {
            return X509Certificate2.CreateFromPemFile(file, key);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new IOException($"The certificate {file}{(key is null ? "" : $" with the key {key}")} cannot be used: {e.Message} Both must be PEM files that this user may read.", e);
        }
    }
}
