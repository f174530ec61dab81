using System.Security.Cryptography;
using System.Text;

namespace Godwit.Server.Access;

/// <summary>The way in when there is no user yet: whoever can read what the process prints may make the first admin, once.</summary>
internal sealed class SetupLink
{
    private readonly string _code = RandomNumberGenerator.GetHexString(40, lowercase: true);

    /// <summary>The path with the code.</summary>
    public string Path => $"/setup?code={_code}";

    /// <summary>Whether this is the code.</summary>
    public bool Matches(string? code) => code is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(code), Encoding.UTF8.GetBytes(_code));
}
