using System.Net;
using Microsoft.Extensions.Logging;

namespace Godwit.Server;

/// <summary>How the server is reached. The defaults let nobody in who is not on this machine.</summary>
public sealed record ServeOptions
{
    /// <summary>The port when none is named.</summary>
    public const int DefaultPort = 8460;

    /// <summary>The address and the port that it listens on; port 0 takes a free one.</summary>
    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, DefaultPort);

    /// <summary>
    /// The names by which browsers and programs may call it besides the addresses of this machine, for example behind a proxy. Any other name is
    /// refused: a page of somebody else's could otherwise let its own name lead here.
    /// </summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>A PEM file with the certificate, and those that vouch for it; null for plain HTTP.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>A PEM file with the certificate's key, when it does not stand in <see cref="CertificateFile"/>.</summary>
    public string? KeyFile { get; init; }

    /// <summary>The address of a proxy in front of it, whose word is taken for who calls and by which scheme; null when there is none.</summary>
    public IPAddress? Proxy { get; init; }

    /// <summary>An identity provider by which people may log in; null for passwords alone.</summary>
    public OpenIdOptions? OpenId { get; init; }

    /// <summary>Whether browsers reach it by HTTPS alone.</summary>
    public bool IsPrivate => CertificateFile is not null || Proxy is not null;

    /// <summary>From which level on it logs.</summary>
    public LogLevel Logs { get; init; } = LogLevel.Information;

    /// <summary>Whether it works on runs, too.</summary>
    public bool RunsWorker { get; init; } = true;

    /// <summary>Everything that is wrong with them, one sentence each. Looks at no file.</summary>
    public IReadOnlyList<string> Problems()
    {
        List<string> problems = [];
        if (KeyFile is not null && CertificateFile is null)
        {
            problems.Add("--certificate-key needs --certificate: name the file with the certificate too.");
        }

        if (!IsPrivate && !IPAddress.IsLoopback(Listen.Address))
        {
            problems.Add(
                $"Passwords would cross the network in the clear on {Listen}: give --certificate FILE, or name the proxy that speaks HTTPS with --proxy ADDRESS, or listen on 127.0.0.1.");
        }

        problems.AddRange(Hosts.Where(h => Uri.CheckHostName(h) == UriHostNameType.Unknown).Select(h => $"--host: '{h}' is not the name of a host, such as godwit.example.com."));
        problems.AddRange(OpenId?.Problems() ?? []);
        return problems;
    }
}

/// <summary>An OpenID Connect provider by which people may log in.</summary>
/// <param name="Authority">Its address, under which its discovery document lies.</param>
/// <param name="ClientId">What it calls Godwit.</param>
/// <param name="ClientSecret">What proves that; the provider may want none of a public client.</param>
public sealed record OpenIdOptions(Uri Authority, string ClientId, ClickHouse.Secret ClientSecret)
{
    /// <summary>The claim that names roles or groups.</summary>
    public string RoleClaim { get; init; } = "groups";

    /// <summary>The values of <see cref="RoleClaim"/> that make somebody a viewer, an operator or an admin. Who has none of them is not let in.</summary>
    public IReadOnlyDictionary<string, Metadata.Accounts.Role> Roles { get; init; } = new Dictionary<string, Metadata.Accounts.Role>(StringComparer.Ordinal);

    /// <summary>Everything that is wrong with it, one sentence each.</summary>
    public IEnumerable<string> Problems()
    {
        if (Authority.Scheme != Uri.UriSchemeHttps && !Authority.IsLoopback)
        {
            yield return $"--openid: {Authority} is not HTTPS, so anybody on the way could log in as anybody.";
        }

        if (Roles.Count == 0)
        {
            yield return "--openid-role: nobody could log in: say which groups are let in, such as --openid-role admin=godwit-admins.";
        }
    }
}
