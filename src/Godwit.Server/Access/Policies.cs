using System.Security.Claims;
using Godwit.Metadata;
using Godwit.Metadata.Accounts;
using Microsoft.AspNetCore.Http;

namespace Godwit.Server.Access;

/// <summary>The names of what may be required of a caller, and who the caller is.</summary>
internal static class Policies
{
    /// <summary>Starts and steers runs.</summary>
    public const string Operator = nameof(Role.Operator);

    /// <summary>Makes users.</summary>
    public const string Admin = nameof(Role.Admin);

    /// <summary>The claim that holds the public part of the token by which a program came.</summary>
    public const string TokenClaim = "token";

    /// <summary>The role of a caller; a viewer when nothing is said.</summary>
    public static Role RoleOf(ClaimsPrincipal caller) => Enum.TryParse<Role>(caller.FindFirstValue(ClaimTypes.Role), out var role) ? role : Role.Viewer;

    /// <summary>A role by its name; null when there is none of that name.</summary>
    public static Role? ReadRole(string? name) => Enum.GetValues<Role>().Where(r => r.ToString() == name).Select(r => (Role?)r).FirstOrDefault();

    /// <summary>Whether a caller may do what a role may.</summary>
    public static bool Can(ClaimsPrincipal caller, Role role) => caller.Identity?.IsAuthenticated == true && RoleOf(caller) >= role;

    /// <summary>Who calls, and from where, for the audit trail.</summary>
    public static Actor ActorOf(HttpContext http) => new(http.User.Identity?.Name ?? "nobody", AddressOf(http));

    /// <summary>From where somebody calls.</summary>
    public static string AddressOf(HttpContext http) => http.Connection.RemoteIpAddress switch
    {
        null => "",
        { IsIPv4MappedToIPv6: true } mapped => mapped.MapToIPv4().ToString(),
        var address => address.ToString(),
    };

    /// <summary>The name of the user who calls, itself or by a token.</summary>
    public static string UserOf(ClaimsPrincipal caller) => caller.FindFirstValue(ClaimTypes.NameIdentifier) ?? "";

    /// <summary>A caller, as cookies and tokens make it.</summary>
    public static ClaimsPrincipal Principal(UserRecord user, Role role, string scheme, string? shownAs = null) => new(new ClaimsIdentity(
        [new(ClaimTypes.Name, shownAs ?? user.Name), new(ClaimTypes.NameIdentifier, user.Name), new(ClaimTypes.Role, role.ToString())], scheme));
}
