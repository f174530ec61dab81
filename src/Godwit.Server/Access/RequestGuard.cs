using System.Net;
using Godwit.Server.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Godwit.Server.Access;

/// <summary>
/// Refuses, before anybody is asked who he is, what no page of ours sends: requests under a name that is not ours (a page of somebody else's may let
/// its own name lead to this machine) and those that come from another site and are to change something. Sets the headers that keep browsers
/// from doing anything with our pages that we do not do ourselves.
/// </summary>
internal sealed class RequestGuard(RequestDelegate next, ServeOptions options, ILogger<RequestGuard> log)
{
    private const string ContentPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    public Task InvokeAsync(HttpContext http)
    {
        var headers = http.Response.Headers;
        headers.ContentSecurityPolicy = ContentPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()";
        headers.CacheControl = "no-store";
        if (http.Request.IsHttps)
        {
            headers.StrictTransportSecurity = "max-age=31536000";
        }

        if (!IsOurs(http.Request.Host))
        {
            log.RequestRefused(Policies.AddressOf(http), "it calls this server by a name that is not known");
            return Problem.Of(
                StatusCodes.Status421MisdirectedRequest, $"This server is not known as {http.Request.Host.Host}. If it should be, start it with --host NAME.").ToResult().ExecuteAsync(http);
        }

        if (IsFromElsewhere(http.Request))
        {
            log.RequestRefused(Policies.AddressOf(http), "it comes from a page of another site");
            return Problem.Of(StatusCodes.Status403Forbidden, "This request comes from a page of another site, so nothing was done.").ToResult().ExecuteAsync(http);
        }

        return next(http);
    }

    private bool IsOurs(HostString host) =>
        string.Equals(host.Host, "localhost", StringComparison.OrdinalIgnoreCase)
        || IPAddress.TryParse(host.Host.Trim('[', ']'), out _)
        || options.Hosts.Contains(host.Host, StringComparer.OrdinalIgnoreCase);

    private static bool IsFromElsewhere(HttpRequest request)
    {
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
        {
            return false;
        }

        var origin = request.Headers.Origin.ToString();
        return request.Headers["Sec-Fetch-Site"].ToString() is "cross-site" or "same-site" || (origin.Length > 0 && origin != $"{request.Scheme}://{request.Host}");
    }
}
