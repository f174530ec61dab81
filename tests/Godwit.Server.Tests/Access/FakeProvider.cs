using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;

namespace Godwit.Server.Tests.Access;

/// <summary>
/// An OpenID Connect provider with real keys that keeps the rules (codes are good once, for one client and address, with their PKCE verifier), and
/// breaks one of them when a test says so.
/// </summary>
internal sealed class FakeProvider : IAsyncDisposable
{
    public const string ClientId = "godwit";
    public const string ClientSecret = "s3cret & more";

    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, IQueryCollection> _codes = new(StringComparer.Ordinal);
    private RSA _key = RSA.Create(2048);
    private string _keyId = "first";

    private FakeProvider(WebApplication app) => _app = app;

    public Uri Url => new(_app.Urls.First());

    /// <summary>Who logs in there.</summary>
    public string Subject { get; set; } = "248289761001";

    public string Name { get; set; } = "ada";

    public IReadOnlyList<string> Groups { get; set; } = ["people", "operators"];

    /// <summary>Whether groups and names stand in the ID token or only at the userinfo endpoint.</summary>
    public bool IsTerse { get; set; }

    /// <summary>Changes the claims of an ID token before it is signed.</summary>
    public Action<Dictionary<string, object>>? Twist { get; set; }

    /// <summary>How it is signed: RS256, none, HS256 (by the client's secret), or RS256 by a key that is not published.</summary>
    public string Signature { get; set; } = "RS256";

    /// <summary>Whether userinfo speaks of another person.</summary>
    public bool IsConfused { get; set; }

    /// <summary>The query of the last request to log in.</summary>
    public IQueryCollection? Asked { get; private set; }

    /// <summary>How often it was asked for tokens.</summary>
    public int Tried { get; private set; }

    /// <summary>How many codes were turned into tokens.</summary>
    public int Redeemed { get; private set; }

    public static async Task<FakeProvider> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(k => k.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var provider = new FakeProvider(app);
        app.MapGet("/.well-known/openid-configuration", () => Results.Json(new Dictionary<string, object>
        {
            ["issuer"] = provider.Issuer,
            ["authorization_endpoint"] = $"{provider.Issuer}/authorize",
            ["token_endpoint"] = $"{provider.Issuer}/token",
            ["userinfo_endpoint"] = $"{provider.Issuer}/userinfo",
            ["jwks_uri"] = $"{provider.Issuer}/keys",
            ["scopes_supported"] = new[] { "openid", "groups" },
        }));
        app.MapGet("/keys", () => Results.Json(new { keys = new[] { provider.PublicKey() } }));
        app.MapGet("/authorize", provider.Authorize);
        app.MapPost("/token", provider.TokenAsync);
        app.MapGet("/userinfo", (HttpRequest r) => r.Headers.Authorization == "Bearer access"
            ? Results.Json(new { sub = provider.IsConfused ? "666" : provider.Subject, preferred_username = provider.Name, groups = provider.Groups })
            : Results.Unauthorized());
        await app.StartAsync();
        return provider;
    }

    /// <summary>Its discovery document may name another issuer than its address.</summary>
    public string Issuer => IssuerSaid ?? Url.AbsoluteUri.TrimEnd('/');

    public string? IssuerSaid { get; set; }

    /// <summary>Signs with another key from now on, and publishes it.</summary>
    public void Rotate()
    {
        _key = RSA.Create(2048);
        _keyId = "second";
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private object PublicKey()
    {
        var key = _key.ExportParameters(false);
        return new { kty = "RSA", use = "sig", alg = "RS256", kid = _keyId, n = WebEncoders.Base64UrlEncode(key.Modulus!), e = WebEncoders.Base64UrlEncode(key.Exponent!) };
    }

    private IResult Authorize(HttpRequest request)
    {
        Asked = request.Query;
        var code = Guid.NewGuid().ToString("N");
        _codes[code] = request.Query;
        return Results.Redirect($"{request.Query["redirect_uri"]}?code={code}&state={request.Query["state"]}");
    }

    private async Task<IResult> TokenAsync(HttpRequest request)
    {
        Tried++;
        var form = await request.ReadFormAsync();
        var login = $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{ClientId}:{Uri.EscapeDataString(ClientSecret)}"))}";
        if (request.Headers.Authorization != login
            || !_codes.TryRemove(form["code"].ToString(), out var asked)
            || form["redirect_uri"] != asked["redirect_uri"]
            || WebEncoders.Base64UrlEncode(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString()))) != asked["code_challenge"])
        {
            return Results.Json(new { error = "invalid_grant" }, statusCode: 400);
        }

        Redeemed++;
        return Results.Json(new { token_type = "Bearer", access_token = "access", id_token = IdToken(asked["nonce"].ToString()) });
    }

    private string IdToken(string nonce)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        Dictionary<string, object> claims = new() { ["iss"] = Issuer, ["sub"] = Subject, ["aud"] = ClientId, ["nonce"] = nonce, ["iat"] = now, ["exp"] = now + 300 };
        if (!IsTerse)
        {
            (claims["preferred_username"], claims["groups"]) = (Name, Groups);
        }

        Twist?.Invoke(claims);
        var header = new Dictionary<string, object> { ["typ"] = "JWT", ["alg"] = Signature is "none" or "HS256" ? Signature : "RS256", ["kid"] = _keyId };
        var text = $"{WebEncoders.Base64UrlEncode(JsonSerializer.SerializeToUtf8Bytes(header))}.{WebEncoders.Base64UrlEncode(JsonSerializer.SerializeToUtf8Bytes(claims))}";
        var bytes = Encoding.ASCII.GetBytes(text);
        using var foreign = RSA.Create(2048);
        return $"{text}.{Signature switch
        {
            "none" => "",
            "HS256" => WebEncoders.Base64UrlEncode(HMACSHA256.HashData(Encoding.UTF8.GetBytes(ClientSecret.PadRight(32)), bytes)),
            "foreign" => WebEncoders.Base64UrlEncode(foreign.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)),
            _ => WebEncoders.Base64UrlEncode(_key.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)),
        }}";
    }
}
