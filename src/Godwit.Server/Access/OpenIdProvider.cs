using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Godwit.Server.Access;

/// <summary>Somebody whom the identity provider vouches for.</summary>
/// <param name="Subject">What it calls it, for ever.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Groups">The values of the claim that names groups.</param>
internal sealed record OpenIdPerson(string Subject, string Name, IReadOnlyList<string> Groups);

/// <summary>The provider refused, does not answer, or sent something that is not to be believed. Its message is for the log and holds no secret.</summary>
internal sealed class OpenIdException(string message, bool isAway = false, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether the provider cannot be used, rather than that it, or we, refused somebody.</summary>
    public bool IsAway => isAway;
}

/// <summary>
/// Talks to the identity provider: OpenID Connect's authorization code with PKCE. Addresses and keys come from its discovery document; an ID token is
/// believed only when the provider signed it, for us, for this very login, and not long ago.
/// </summary>
internal sealed class OpenIdProvider : IDisposable
{
    // Signatures by keys that only the provider has. Those by a shared secret, and none at all, are not among them.
    private static readonly string[] Algorithms =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
    ];

    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    // For so long what a provider says of itself is not asked for again; nor more often than that, whatever somebody sends.
    private static readonly TimeSpan Lasting = TimeSpan.FromHours(1);
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(30);

    private readonly OpenIdOptions _options;
    private readonly TimeProvider _clock;
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
    {
        Timeout = TimeSpan.FromSeconds(15),
        MaxResponseContentBufferSize = 1 << 20,
    };

    private (OpenIdConnectConfiguration Provider, DateTimeOffset At)? _known;

    public OpenIdProvider(OpenIdOptions options, TimeProvider clock) => (_options, _clock) = (options, clock);

    public void Dispose() => _http.Dispose();

    /// <summary>Where a browser is sent to log in.</summary>
    /// <exception cref="OpenIdException">The provider cannot be used.</exception>
    public async Task<string> AddressAsync(Uri back, string state, string nonce, string verifier, CancellationToken ct)
    {
        var provider = await ProviderAsync(Lasting, ct);
        List<string> scopes = ["openid", "profile", "email"];
        if (provider.ScopesSupported.Contains(_options.RoleClaim))
        {
            scopes.Add(_options.RoleClaim);
        }

        var query = new QueryString(
        [
            ("response_type", "code"), ("client_id", _options.ClientId), ("redirect_uri", back.AbsoluteUri), ("scope", string.Join(' ', scopes)), ("state", state),
            ("nonce", nonce), ("code_challenge", Base64UrlEncoder.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)))), ("code_challenge_method", "S256"),
        ]);
        return $"{provider.AuthorizationEndpoint}{(provider.AuthorizationEndpoint.Contains('?', StringComparison.Ordinal) ? '&' : '?')}{query}";
    }

    /// <summary>Turns the code with which a browser came back into the person that it stands for.</summary>
    /// <exception cref="OpenIdException">It stands for nobody, or what the provider says is not to be believed.</exception>
    public async Task<OpenIdPerson> RedeemAsync(string code, Uri back, string nonce, string verifier, CancellationToken ct)
    {
        var provider = await ProviderAsync(Lasting, ct);
        using var answer = await TokensAsync(provider, code, back, verifier, ct);
        var token = await BelieveAsync(provider, Text(answer.RootElement, "id_token") ?? throw new OpenIdException("it sent no ID token"), nonce, ct);
        var claims = token.Claims.ToLookup(c => c.Type, c => c.Value, StringComparer.Ordinal);
        var groups = claims[_options.RoleClaim].ToList();
        var name = claims["preferred_username"].Concat(claims["email"]).FirstOrDefault();
        if ((groups.Count == 0 || name is null) && provider.UserInfoEndpoint is { Length: > 0 } && Text(answer.RootElement, "access_token") is { } access)
        {
            using var info = await InfoAsync(provider, access, token.Subject, ct);
            groups = groups.Count == 0 ? [.. Texts(info.RootElement, _options.RoleClaim)] : groups;
            name ??= Text(info.RootElement, "preferred_username") ?? Text(info.RootElement, "email");
        }

        return new OpenIdPerson(token.Subject, name ?? token.Subject, groups);
    }

    /// <summary>What the provider says of itself, and the keys that it signs with.</summary>
    private async Task<OpenIdConnectConfiguration> ProviderAsync(TimeSpan oldest, CancellationToken ct)
    {
        var now = _clock.GetUtcNow();
        if (_known is { } known && now - known.At < oldest)
        {
            return known.Provider;
        }

        try
        {
            var provider = await OpenIdConnectConfigurationRetriever.GetAsync(
                $"{_options.Authority.AbsoluteUri.TrimEnd('/')}/.well-known/openid-configuration",
                new HttpDocumentRetriever(_http) { RequireHttps = _options.Authority.Scheme == Uri.UriSchemeHttps },
                ct);
            if (!Same(provider.Issuer))
            {
                throw new OpenIdException("its discovery document is of another provider: --openid must be the issuer that it names", isAway: true);
            }

            _known = (provider, now);
            return provider;
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or ArgumentException or JsonException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            throw new OpenIdException("its discovery document cannot be read", isAway: true, e);
        }
    }

    private bool Same(string? issuer) => issuer?.TrimEnd('/') == _options.Authority.AbsoluteUri.TrimEnd('/');

    private async Task<JsonDocument> TokensAsync(OpenIdConnectConfiguration provider, string code, Uri back, string verifier, CancellationToken ct)
    {
        List<(string, string)> form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", back.AbsoluteUri), ("code_verifier", verifier)];
        using var request = new HttpRequestMessage(HttpMethod.Post, provider.TokenEndpoint);
        var secret = _options.ClientSecret.Reveal();
        if (secret.Length > 0 && (provider.TokenEndpointAuthMethodsSupported.Count == 0 || provider.TokenEndpointAuthMethodsSupported.Contains("client_secret_basic")))
        {
            var login = $"{Uri.EscapeDataString(_options.ClientId)}:{Uri.EscapeDataString(secret)}";
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(login)));
        }
        else
        {
            form.Add(("client_id", _options.ClientId));
            form.AddRange(secret.Length > 0 ? [("client_secret", secret)] : Array.Empty<(string, string)>());
        }

        request.Content = new FormUrlEncodedContent(form.Select(f => KeyValuePair.Create(f.Item1, f.Item2)));
        return await SendAsync(request, "token endpoint", ct);
    }

    private async Task<JsonDocument> InfoAsync(OpenIdConnectConfiguration provider, string access, string subject, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, provider.UserInfoEndpoint);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", access);
        var info = await SendAsync(request, "userinfo endpoint", ct);
        if (Text(info.RootElement, "sub") == subject)
        {
            return info;
        }

        info.Dispose();
        throw new OpenIdException("its userinfo endpoint speaks of somebody else");
    }

    private async Task<JsonDocument> SendAsync(HttpRequestMessage request, string what, CancellationToken ct)
    {
        try
        {
            using var answer = await _http.SendAsync(request, ct);
            var body = await answer.Content.ReadAsByteArrayAsync(ct);
            var json = JsonDocument.Parse(body);
            if (answer.IsSuccessStatusCode && json.RootElement.ValueKind == JsonValueKind.Object)
            {
                return json;
            }

            json.Dispose();
            throw new OpenIdException($"its {what} answered {(int)answer.StatusCode}", isAway: (int)answer.StatusCode >= 500);
        }
        catch (JsonException e)
        {
            throw new OpenIdException($"its {what} did not answer with JSON", isAway: true, e);
        }
        catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            throw new OpenIdException($"its {what} does not answer", isAway: true, e);
        }
    }

    private Task<TokenValidationResult> ValidateAsync(OpenIdConnectConfiguration provider, string text) => new JsonWebTokenHandler().ValidateTokenAsync(text, new TokenValidationParameters
    {
        IssuerSigningKeys = provider.SigningKeys,
        ValidIssuer = provider.Issuer,
        ValidAudience = _options.ClientId,
        ValidAlgorithms = Algorithms,
        LifetimeValidator = (from, until, _, _) => until is { } end && end > _clock.GetUtcNow().UtcDateTime - Skew && (from is null || from < _clock.GetUtcNow().UtcDateTime + Skew),
    });

    private async Task<JsonWebToken> BelieveAsync(OpenIdConnectConfiguration provider, string text, string nonce, CancellationToken ct)
    {
        var result = await ValidateAsync(provider, text);
        if (result.Exception is SecurityTokenSignatureKeyNotFoundException)
        {
            // It signs with another key by now.
            result = await ValidateAsync(await ProviderAsync(Fresh, ct), text);
        }

        if (!result.IsValid)
        {
            throw new OpenIdException($"its ID token is not good ({result.Exception.GetType().Name})", inner: result.Exception);
        }

        var token = (JsonWebToken)result.SecurityToken;
        var isForUs = token.Audiences.All(a => a == _options.ClientId) || (token.TryGetPayloadValue<string>("azp", out var party) && party == _options.ClientId);
        var isForNow = token.TryGetPayloadValue<string>("nonce", out var said)
            && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(said), Encoding.UTF8.GetBytes(nonce));
        return isForUs && isForNow && token.Subject is { Length: > 0 and <= 255 }
            ? token
            : throw new OpenIdException(!isForNow ? "its ID token is of another login (nonce)" : !isForUs ? "its ID token is for somebody else (azp)" : "its ID token names nobody (sub)");
    }

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static IEnumerable<string> Texts(JsonElement json, string name) => !json.TryGetProperty(name, out var value) ? []
        : value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().Where(v => v.ValueKind == JsonValueKind.String).Select(v => v.GetString()!)
        : value.ValueKind == JsonValueKind.String ? [value.GetString()!]
        : [];

    private sealed record QueryString(IReadOnlyList<(string Name, string Value)> Parts)
    {
        public override string ToString() => string.Join('&', Parts.Select(p => $"{p.Name}={Uri.EscapeDataString(p.Value)}"));
    }
}
