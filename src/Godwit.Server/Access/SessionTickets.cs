using System.Security.Cryptography;
using Godwit.Metadata.Accounts;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.DataProtection;

namespace Godwit.Server.Access;

/// <summary>
/// Keeps who is logged in beside the runs: a cookie holds nothing but a random number, sessions outlive the process, and an admin can end them.
/// </summary>
internal sealed class SessionTickets(IAccountStore store, IDataProtectionProvider protection, TimeProvider clock) : ITicketStore
{
    private readonly IDataProtector _protector = protection.CreateProtector("godwit.sessions");

    public async Task<string> StoreAsync(AuthenticationTicket ticket)
    {
        var key = RandomNumberGenerator.GetHexString(64, lowercase: true);
        await store.SweepAsync(clock.GetUtcNow());
        await RenewAsync(key, ticket);
        return key;
    }

    public Task RenewAsync(string key, AuthenticationTicket ticket) => store.PutSessionAsync(new SessionRecord(
        Tokens.Hash(key),
        ticket.Principal.FindFirst(System.Security.Claims.ClaimTypes.NameIdentifier)!.Value,
        Convert.ToBase64String(_protector.Protect(TicketSerializer.Default.Serialize(ticket))),
        ticket.Properties.ExpiresUtc ?? clock.GetUtcNow().AddHours(12)));

    public async Task<AuthenticationTicket?> RetrieveAsync(string key) =>
        await store.FindSessionAsync(Tokens.Hash(key)) is { } session && session.ExpiresAt > clock.GetUtcNow() && Unprotect(session.Ticket) is { } bytes
            ? TicketSerializer.Default.Deserialize(bytes)
            : null;

    public Task RemoveAsync(string key) => store.RemoveSessionAsync(Tokens.Hash(key));

    // Keys that were taken away end the sessions that they protected.
    private byte[]? Unprotect(string ticket)
    {
        try
        {
            return _protector.Unprotect(Convert.FromBase64String(ticket));
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
